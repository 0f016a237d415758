"""How does one run read and pack while the stream takes what is packed?"""

from collections.abc import Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from ledger.uploads.upload import Upload
from orders.aggregate import Aggregate
from orders.parsed_lines import InvalidLine, ParsedLines
from producer_lambda.clock import Deadline
from producer_lambda.enqueuing import Enqueuer, Halt, Stretch
from producer_lambda.packing import Packing
from producer_lambda.resume_point import Checkpoint

AHEAD_BYTES = 1024 * 1024
"""How far packing may run ahead of the stream."""
FLUSH_BYTES = 8 * 1024 * 1024
"""After this much text, records that are not full are put too: checkpoints wait for them."""
_IDLE_CHECKPOINTS = 16


@dataclass(slots=True)
class _Ready:
    """What is packed and not handed on yet."""

    aggregates: list[Aggregate] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    rejected: list[InvalidLine] = field(default_factory=list)

    def has_enough(self) -> bool:
        """Is it worth handing on, for its orders or, without any, for its checkpoints?"""
        return bool(self.aggregates) or len(self.checkpoints) >= _IDLE_CHECKPOINTS

    def is_too_much(self) -> bool:
        """Must reading wait until it is handed on?"""
        sizes = [len(aggregate.payload) for aggregate in self.aggregates]
        return sum(sizes) + sum(len(one.raw) for one in self.rejected) >= AHEAD_BYTES


class Reader:
    """Reads and packs in its own thread while the executor's one thread brings it out.

    One stretch is under way at a time, so the order within each lane stays that of the file.
    """

    def __init__(
        self, upload: Upload, enqueuer: Enqueuer, *, executor: Executor, aggregate_bytes: int
    ) -> None:
        self._enqueuer = enqueuer
        self._executor = executor
        self._packing = Packing(upload.id, enqueuer.point.tails, aggregate_bytes=aggregate_bytes)
        self._ready = _Ready()
        self._under_way: Future[Halt | None] | None = None
        self._blank = upload.progress.blank
        self._invalid = upload.progress.invalid
        self._flushed_at = upload.progress.offset

    @property
    def orders(self) -> int:
        """Orders packed, over all runs."""
        return self._packing.orders

    @property
    def invalid(self) -> int:
        """Lines rejected, over all runs."""
        return self._invalid

    def read(self, batches: Iterable[ParsedLines], deadline: Deadline) -> Halt | None:
        """Take batches until there are no more (None) or the run must stop.

        An error of `batches` passes through; what came before it stays to be finished.
        """
        for batch in batches:
            self._take(batch)
            halt = self._hand_on()
            if halt:
                return halt
            if deadline.left_seconds() <= 0:
                return self._settle() or Halt.OUT_OF_TIME
        return None

    def finish(self, *, is_end: bool) -> Halt | None:
        """Bring out what is left, with the end markers if this is the end, and save all of it."""
        rest = self._packing.end() if is_end else self._packing.flush()
        self._ready.aggregates.extend(rest)
        halt = self._settle() or self._enqueuer.enqueue(self._range())
        return halt or self._enqueuer.save(everything=True)

    def _take(self, batch: ParsedLines) -> None:
        self._ready.aggregates.extend(self._packing.add(batch))
        self._blank += batch.blank
        self._invalid += len(batch.invalid)
        self._ready.rejected.extend(batch.invalid)
        self._ready.checkpoints.append(
            Checkpoint(batch.end, self._blank, self._invalid, self._packing.last_lines)
        )
        if batch.end.offset - self._flushed_at >= FLUSH_BYTES:
            self._ready.aggregates.extend(self._packing.flush())
            self._flushed_at = batch.end.offset

    def _hand_on(self) -> Halt | None:
        if not self._ready.has_enough():
            return None
        is_busy = self._under_way is not None and not self._under_way.done()
        if is_busy and not self._ready.is_too_much():
            return None
        halt = self._settle()
        if halt is None:
            self._under_way = self._executor.submit(self._enqueuer.enqueue, self._range())
        return halt

    def _settle(self) -> Halt | None:
        """Wait for what is under way; its errors come out here."""
        under_way, self._under_way = self._under_way, None
        return under_way.result() if under_way else None

    def _range(self) -> Stretch:
        ready, self._ready = self._ready, _Ready()
        return Stretch(ready.aggregates, ready.checkpoints, ready.rejected)
