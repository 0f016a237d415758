"""Which orders are in hand, and how do they come to their outcome?"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import ceil

from consumer.delivery.actions import ForgetSetAside
from consumer.delivery.entries import Entry, OrderId, Stage, StreamRecord
from consumer.delivery.events import Observer, OrdersMissing, RepeatsSkipped
from consumer.delivery.lane_tracks import LaneTrack, take_end, take_order
from consumer.delivery.pace_view import PaceView
from consumer.delivery.settle_queue import SettleQueue
from consumer.delivery.window import Window
from ledger.errors import LaneMissing, LedgerError, LedgerRefused
from ledger.pace.pace import Blocker, BlockReason
from ledger.uploads.dead_letter import UNREADABLE
from ledger.uploads.lane import LaneKey, LaneNumber
from orders.envelope import EndMarker, OrderEnvelope, UnknownVersion, Unreadable, order_id_of
from orders.outcome import Outcome

FASTEST_PER_SECOND = 2_000
"""Without a rate, no process sends faster."""
DETAIL_CHARACTERS_MAX = 500
"""How much of an error of the ledger a blocker shows; the log has all of it."""


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """What a delivery is told at the start.

    window_max: orders. refusal_budget: more than N and more than P percent block sending.
    conflict_outcome: what every 409 means; None: accepted if an earlier attempt may have got
    through, else refused.
    """

    shard: str
    token: str
    window_max: int = 64
    refusal_budget: tuple[int, float] = (20, 5.0)
    failed_alone: int = 3
    conflict_outcome: Outcome | None = None


class OrdersInHand:
    """The entries from the stream on, until the ledger has them."""

    def __init__(self, settings: DeliverySettings, view: PaceView, observe: Observer) -> None:
        """Start with nothing in hand."""
        self.settings = settings
        self.view = view
        self.window = Window()
        self.settling = SettleQueue()
        self.lanes: dict[LaneKey, LaneTrack] = {}
        self._observe = observe
        self._doubtful: int | None = None  # orders to come that an earlier owner may have begun
        self._doubted: list[Entry] = []  # and those of them that came

    def take(self, records: Iterable[StreamRecord], now: float) -> None:
        """Put records behind the queue, in stream order. Their lanes must have begun."""
        if self._doubtful is None:
            self._doubtful = self._begun_by_an_earlier_owner(now)
        for record in records:
            entries = self._entries(record)
            for entry in entries:
                if entry.stage is Stage.SETTLED:
                    self._observe(RepeatsSkipped(1))
                elif entry.key:
                    track = self.lanes[entry.key]
                    track.in_hand[entry], track.was_used = None, True
            self.window.extend(entries)

    def _begun_by_an_earlier_owner(self, now: float) -> int:
        """How many orders may have been sent before, from the first unsettled one on.

        The owner before said so with each turn that it reserved. Without turns, at the rate `none`,
        it is its window, and what it may send until it sees that the shard is not its own.
        """
        known = self.view.pace.in_doubt.get(self.settings.shard)
        if known is not None:
            return known
        rate = self.view.pace.rate(now)
        until_noticed = ceil(rate.per_second or FASTEST_PER_SECOND) if rate else 0
        return self.settings.window_max + until_noticed

    def maybe_begun(self) -> int:
        """How many orders, from the first unsettled one on, hold all that may have been sent.

        Orders that an earlier owner may have begun are among them, whether they came yet or not.
        """
        self._doubted = [entry for entry in self._doubted if entry.stage is not Stage.SETTLED]
        queued = sum(not entry.order_id and not entry.outcome for entry in self._doubted)
        return self.window.maybe_begun() + queued + (self._doubtful or 0)

    def _entries(self, record: StreamRecord) -> list[Entry]:
        position, item = record.position, record.item
        match item:
            case OrderEnvelope():
                entries = take_order(self.lanes[key_of(item)], item, position)
                if self._doubtful and entries[-1].stage is not Stage.SETTLED:
                    # An attempt of the process before this one may have got through unseen.
                    entries[-1].may_have_arrived = True
                    self._doubted.append(entries[-1])
                    self._doubtful -= 1
                return entries
            case EndMarker():
                return take_end(self.lanes[key_of(item)], item, position)
            case Unreadable(reason):
                entry = Entry(position, None, 0, 0, 0, body=record.data, reason=reason)
                entry.stage, entry.outcome = Stage.DONE, Outcome.REFUSED
                return [entry]
            case UnknownVersion(version):
                blocked = Entry(position, None, 0, 0, 0, stage=Stage.BLOCKED)
                blocked.reason = f"envelope version {version}: start a release that can read it"
                return [blocked]

    def block_where_stuck(self, now: float) -> None:
        """Block sending where what is in hand cannot be settled until a person acts.

        That is a settle which the ledger refuses, as long as it does; or nothing is left before a
        record that only a later release can read, which no order may overtake. A resume changes
        neither, so the blocker is set again after it.
        """
        if self.view.is_superseded:
            return  # the shard's blockers are its new owner's
        if self.settling.refused or self.view.pace.blockers:
            self._block_where_refused()
        blocked = self.window.blocked
        if blocked and not self.window.span:
            blocker = Blocker(BlockReason.LATER_RELEASE, blocked.reason, now)
            self.view.block(f"{self.settings.shard} envelope", blocker)

    def _block_where_refused(self) -> None:
        settles = f"{self.settings.shard} settle "
        refused = {
            f"{settles}{_named(key)}": blocker for key, blocker in self.settling.refused.items()
        }
        for name, blocker in refused.items():
            self.view.block(name, blocker)
        for name in [name for name in self.view.pace.blockers if name.startswith(settles)]:
            if name not in refused:
                self.view.unblock(name)

    def settle_failed(self, key: LaneKey | None, error: LedgerError | None, now: float) -> None:
        """A settle failed; sending is blocked where the same one can never succeed."""
        blocker: Blocker | None = None
        match error:
            case LedgerRefused():
                blocker = Blocker(
                    BlockReason.WRITE_REFUSED, str(error)[:DETAIL_CHARACTERS_MAX], now
                )
            case LaneMissing():
                blocker = Blocker(BlockReason.ROW_MISSING, str(error), now)
            case _:
                pass
        self.settling.failed(key, now, blocker)
        self.block_where_stuck(now)

    def open(self, entry: Entry) -> None:
        """Make an entry ready that enters the window."""
        if entry.stage is Stage.DONE:
            if entry.never_came and entry.key:
                self._judge_gap(entry, entry.key)
            self._collect(entry)
            return
        if entry.stage is not Stage.WAITING or self.settle_unsent(entry):
            return
        order_id = order_id_of(entry.body)
        if order_id is None:
            entry.reason = "the order's body has no readable order_id"
            self.done(entry, Outcome.REFUSED)
        else:
            entry.order_id = OrderId(order_id)

    def _judge_gap(self, entry: Entry, key: LaneKey) -> None:
        """Orders never came. Of a cancelled upload nobody misses them: they are cancelled, too."""
        if self.lanes[key].is_cancelled:
            entry.outcome = Outcome.CANCELLED
        else:
            self._observe(OrdersMissing(key, entry.count))

    def unsent_outcome(self, entry: Entry) -> Outcome | None:
        """What becomes of an order that no attempt is to be made for, None where one is."""
        if entry.key and self.lanes[entry.key].is_cancelled:
            return Outcome.CANCELLED
        set_aside = self.view.pace.set_aside
        return Outcome.REFUSED if set_aside and entry.name in set_aside else None

    def settle_unsent(self, entry: Entry) -> bool:
        """Settle an order that no attempt is to be made for; False where one is."""
        outcome = self.unsent_outcome(entry)
        if outcome is Outcome.REFUSED:
            entry.reason = f"set aside: {self.view.pace.set_aside[entry.name]}"
        if outcome:
            self.done(entry, outcome)
        return outcome is not None

    def cancel(self, cancelled: Collection[LaneKey]) -> None:
        """The uploads of some lanes are cancelled, or orders set aside: settle those that wait."""
        uploads = {key.upload for key in cancelled}
        for key, track in self.lanes.items() if uploads else ():
            track.is_cancelled |= key.upload in uploads
        for entry in list(self.window.active):
            if entry.stage is Stage.WAITING:
                self.settle_unsent(entry)

    def done(self, entry: Entry, outcome: Outcome) -> None:
        """An order's outcome is known."""
        entry.stage, entry.outcome = Stage.DONE, outcome
        self.window.is_done(entry)
        if self.view.pace.set_aside and entry.name in self.view.pace.set_aside:
            self.view.change(ForgetSetAside(entry.name))
        self._collect(entry)

    def _collect(self, entry: Entry) -> None:
        """Have the ledger told; too many refusals block sending before the next order."""
        self.settling.add(entry)
        if entry.key is None or entry.outcome is None:
            return
        track = self.lanes[entry.key]
        blocker = track.count(
            entry.outcome, entry.count, self.view.pace, self.settings.refusal_budget
        )
        if blocker:
            self.view.block(f"refusal budget of {entry.key.upload}", blocker)


def key_of(item: OrderEnvelope | EndMarker) -> LaneKey:
    """The lane that an envelope belongs to."""
    return LaneKey(item.upload, LaneNumber(item.lane))


def _named(key: LaneKey | None) -> str:
    return f"{key.upload}/{key.lane}" if key else UNREADABLE
