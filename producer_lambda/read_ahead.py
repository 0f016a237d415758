"""How does a run read and pack while the stream takes what is packed?"""

from array import array
from collections.abc import Iterable
from concurrent.futures import Executor, Future

from ledger.uploads.upload import Upload
from orders.id_hashes import id_hashes
from orders.parsed_lines import ParsedLines
from producer_lambda.enqueuing import Enqueuer, Halt, Packed
from producer_lambda.packing import Packing
from producer_lambda.resume_point import ResumePoint
from producer_lambda.run_deadline import Deadline

AHEAD_BYTES = 1024 * 1024
"""How far packing may run ahead of the stream."""
FLUSH_BYTES = 8 * 1024 * 1024
"""After this much text, records that are not full are put too: resume points wait for them."""
_IDLE_RESUME_POINTS = 16


class ReadAhead:
    """Reads and packs in the calling thread while the executor's only thread enqueues.

    One `Packed` is under way at a time, so the order within each lane stays that of the file.
    """

    def __init__(
        self,
        upload: Upload,
        enqueuer: Enqueuer,
        *,
        executor: Executor,
        aggregate_bytes: int,
        keeps_ids: bool,
    ) -> None:
        """keeps_ids: resume points carry the hashes of the orders' ids."""
        self._enqueuer = enqueuer
        self._executor = executor
        self._keeps_ids = keeps_ids
        self._packing = Packing(upload.id, enqueuer.tracker.tails, aggregate_bytes=aggregate_bytes)
        self._ready = Packed()
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
        """Invalid lines, over all runs."""
        return self._invalid

    def read(self, parts: Iterable[ParsedLines], deadline: Deadline) -> Halt | None:
        """Take parts of the file until there are no more (None) or the run must stop.

        Errors of `parts` pass through; call `finish` for what was read before.
        """
        for lines in parts:
            self._take(lines)
            halt = self._hand_over()
            if halt:
                return halt
            if deadline.left_seconds() <= 0:
                return self._wait() or Halt.OUT_OF_TIME
        return None

    def finish(self, *, is_end: bool) -> Halt | None:
        """Enqueue the rest, with the end markers if this is the end, and save everything."""
        rest = self._packing.end() if is_end else self._packing.flush()
        self._ready.aggregates.extend(rest)
        halt = self._wait() or self._enqueuer.enqueue(self._take_ready())
        return halt or self._enqueuer.save(everything=True)

    def _take(self, lines: ParsedLines) -> None:
        ready = self._ready
        ready.aggregates.extend(self._packing.add(lines))
        self._blank += lines.blank
        self._invalid += len(lines.invalid)
        lane_lines = self._packing.last_lines
        # Also of orders that are on the stream already: a part of the ids leaves none out.
        hashes = id_hashes(lines.order_ids) if self._keeps_ids else array("Q")
        ready.resume_points.append(
            ResumePoint(lines.end, self._blank, self._invalid, lane_lines, lines.invalid, hashes)
        )
        if lines.end.offset - self._flushed_at >= FLUSH_BYTES:
            ready.aggregates.extend(self._packing.flush())
            self._flushed_at = lines.end.offset

    def _hand_over(self) -> Halt | None:
        """Hand what is ready to the executor if it is worth it, waiting only if it is too much."""
        ready = self._ready
        if not ready.aggregates and len(ready.resume_points) < _IDLE_RESUME_POINTS:
            return None
        ready_bytes = sum(len(aggregate.payload) for aggregate in ready.aggregates)
        ready_bytes += sum(
            len(one.raw) for point in ready.resume_points for one in point.invalid_lines
        )
        is_busy = self._under_way is not None and not self._under_way.done()
        if is_busy and ready_bytes < AHEAD_BYTES:
            return None
        halt = self._wait()
        if halt is None:
            self._under_way = self._executor.submit(self._enqueuer.enqueue, self._take_ready())
        return halt

    def _wait(self) -> Halt | None:
        """Wait for what is under way; its errors are raised here."""
        under_way, self._under_way = self._under_way, None
        return under_way.result() if under_way else None

    def _take_ready(self) -> Packed:
        ready, self._ready = self._ready, Packed()
        return ready
