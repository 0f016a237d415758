"""Which orders are sent together?

Those of a lane whose ordinals have the same number (`Batch`): a batch is complete when an order of
another number or the end of its lane came from the stream. One that could be sent, and does not get
complete, is sent as it is after a while. Where it ended is written with the pace before it is sent:
a process that starts anew, and finds more orders in the stream, ends it there, too.
"""

from bisect import bisect_left

from consumer.delivery.batch import Batch
from consumer.delivery.entries import Entry, Stage
from consumer.delivery.lanes_in_hand import LanesInHand
from consumer.delivery.pace_view import PaceView
from consumer.delivery.settle_queue import NEVER
from consumer.delivery.window import Window
from ledger.uploads.lane import LaneKey


class Batching:
    """The batches that may get more orders, at most one of a lane."""

    def __init__(
        self,
        window: Window,
        view: PaceView,
        lanes: LanesInHand,
        *,
        orders: int,
        linger_seconds: float,
    ) -> None:
        """`orders` are sent in one request, at most."""
        self._window = window
        self._view = view
        self._lanes = lanes
        self._orders = orders
        self._linger_seconds = linger_seconds
        self._filling: dict[LaneKey, Batch] = {}
        self._held: list[Batch] = []  # complete, in stream order; an end is still to be written

    def add(self, entry: Entry) -> None:
        """Put an entry that came from the stream into a batch, or into the window as it is."""
        if entry.key is not None and entry.ends_lane:
            self._close(entry.key)
        if entry.key is None or not entry.is_order or entry.stage is not Stage.WAITING:
            self._window.queue.append(entry)
            return
        number, batch = self._number(entry.key, entry.ordinal), self._filling.get(entry.key)
        if batch and batch.number == number and batch.pending[-1].line < entry.line:
            batch.add(entry)
        elif batch and batch.number > number:  # it comes after all, and alone
            self._window.queue.append(Batch.begin(entry, number).closed())
        else:
            self._close(entry.key)
            batch = self._filling[entry.key] = Batch.begin(entry, number)
            self._window.queue.append(batch)
        if self._window.last is batch:
            batch.position = entry.position  # nothing of another lane is in between

    def _number(self, key: LaneKey, ordinal: int) -> tuple[int, int]:
        """The number of an order's batch, and how many batches of the lane ended too early."""
        ends = self._view.pace.batch_ends.get(lane_name(key), ())
        return (ordinal - 1) // self._orders, bisect_left(ends, ordinal)

    def close_overdue(self, now: float) -> None:
        """Complete the batches that could be sent and get no more orders."""
        if self._held and not self._view.has_unwritten:
            held, self._held = self._held, []
            for batch in held:
                self._release(batch)
        for key, batch in list(self._filling.items()):
            if not batch.is_let_in:
                continue
            if batch.closes_at is None:
                batch.closes_at = now + self._linger_seconds
            if now >= batch.closes_at:
                settled = self._lanes[key].lane.mark_ordinal
                self._view.end_batch(lane_name(key), batch.pending[-1].ordinal, settled=settled)
                self._held.append(self._filling.pop(key))

    def due(self) -> float:
        """When the next batch is to be completed as it is."""
        return min((batch.closes_at or NEVER for batch in self._filling.values()), default=NEVER)

    @property
    def are_in_window(self) -> bool:
        """Did orders enter the window that are not sent because they may get company?"""
        return bool(self._held) or any(batch.is_let_in for batch in self._filling.values())

    def _close(self, key: LaneKey) -> None:
        """The lane's batch gets no more orders; it stays behind those that are held."""
        batch = self._filling.pop(key, None)
        if batch is not None and any(held.key == key for held in self._held):
            self._held.append(batch)
        elif batch is not None:
            self._release(batch)

    def _release(self, batch: Batch) -> None:
        if batch.closed().is_let_in:
            self._window.let_in(batch)


def lane_name(key: LaneKey) -> str:
    """How the pace item names a lane."""
    return f"{key.upload}/{key.lane}"
