"""What is to be settled in the ledger, and when?"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from consumer.delivery.actions import Settle
from consumer.delivery.entries import Entry
from consumer.delivery.lanes_in_hand import LanesInHand
from consumer.delivery.latency import Latency
from ledger.errors import LaneMissing, LedgerError, LedgerRefused
from ledger.pace.pace import Blocker, BlockReason
from ledger.uploads.dead_letter import UNREADABLE, DeadLetter, position_of_line
from ledger.uploads.lane import Lane, LaneKey
from ledger.uploads.settlement import Settlement, Span
from orders.envelope import order_id_of
from orders.outcome import Outcome

SETTLE_SPACING_SECONDS = 0.2
"""Two settles of one lane start at least this far apart, unless the window waits for one."""
SETTLE_ORDERS_MAX = 5_000
"""One settle has at most so many entries."""
FAILED_SECONDS = 1.0
"""A settle that failed is made again after this."""
REFUSED_SECONDS = 5.0
"""A settle that the ledger refuses is made again after this: a person may have put it right."""
DETAIL_CHARACTERS_MAX = 500
"""How much of an error of the ledger a blocker shows; the log has all of it."""
NEVER = float("inf")


@dataclass(slots=True)
class Unsettled:
    """Entries of one lane whose outcome is known and which the ledger does not have.

    settling: those of the settle on its way. rests_until: a settle failed.
    """

    entries: list[Entry] = field(default_factory=list)
    settling: tuple[Entry, ...] = ()
    next_start: float = 0.0
    rests_until: float = 0.0


class SettleQueue:
    """What is to be settled, lane by lane, one settle of a lane at a time."""

    def __init__(self, lanes: LanesInHand) -> None:
        self._lanes = lanes
        self._unsettled: dict[LaneKey | None, Unsettled] = {}  # None: records of no lane
        self._latency = Latency(8, 0.01)
        self.count = 0
        self.unwritable: dict[LaneKey | None, Blocker] = {}  # lanes whose settle the ledger refuses

    def add(self, entry: Entry) -> None:
        """An entry's outcome is known."""
        self._unsettled.setdefault(entry.key, Unsettled()).entries.append(entry)
        self.count += 1

    @property
    def is_pending(self) -> bool:
        """Is there anything that the ledger does not have and that can be settled?"""
        return any(lane.settling or self._ready(lane) for lane in self._unsettled.values())

    def next(self, now: float, *, at_once: bool, resumed: int) -> Settle | None:
        """A settle that is due."""
        for lane in self._unsettled.values():
            if lane.settling or not lane.entries or now < lane.rests_until:
                continue
            if at_once or now >= lane.next_start:
                ready = self._ready(lane)
                if ready:
                    return self._begin(lane, ready, now, resumed)
        return None

    def _begin(self, lane: Unsettled, ready: list[Entry], now: float, resumed: int) -> Settle:
        chosen = set(ready)
        lane.entries = [entry for entry in lane.entries if entry not in chosen]
        lane.next_start = now + SETTLE_SPACING_SECONDS
        lane.settling = tuple(ready)
        self.count -= len(ready)
        for entry in ready:
            entry.settle()
        key = ready[0].key
        settlement = Settlement(spans_of(ready), any(e.ends_lane for e in ready), resumed)
        letters = tuple(dead_letter_of(e, now) for e in ready if e.outcome is Outcome.REFUSED)
        return Settle(self._lanes[key].lane if key else None, settlement, letters, lane.settling)

    def _ready(self, lane: Unsettled) -> list[Entry]:
        """The entries of a lane's next settle; an end is settled only with all before it."""
        ready = lane.entries[:SETTLE_ORDERS_MAX]
        key = ready[0].key if ready else None
        if key is None or not any(entry.ends_lane for entry in ready):
            return ready
        reached = self._lanes[key].ends_reached(ready)
        return [entry for entry in ready if not entry.ends_lane or entry in reached]

    def due(self) -> float:
        """When the next settle is due."""
        waiting = (u for u in self._unsettled.values() if not u.settling and self._ready(u))
        return min((max(u.next_start, u.rests_until) for u in waiting), default=NEVER)

    def seconds(self, per_second: float) -> float:
        """How long an order stays in hand after its answer, at this rate."""
        is_spaced = per_second * SETTLE_SPACING_SECONDS > 1.0
        return self._latency.worst + (SETTLE_SPACING_SECONDS if is_spaced else 0.0)

    def settled(self, lane: Lane | None, seconds: float) -> None:
        """A settle is made, in so many seconds; `lane` is the row after it."""
        self._latency.add(seconds)
        key = lane.key if lane else None
        unsettled = self._unsettled[key]
        settled, unsettled.settling = unsettled.settling, ()
        self.unwritable.pop(key, None)
        for entry in settled:
            entry.settled()
        if lane and self._lanes.settled(lane, settled):
            del self._unsettled[key]

    def failed(self, key: LaneKey | None, error: LedgerError, now: float) -> None:
        """A settle could not be made: its entries are to be settled again.

        Where making it again cannot help either, it is one of those `unwritable`.
        """
        unsettled = self._unsettled[key]
        for entry in unsettled.settling:
            entry.settle_failed()
        unsettled.entries = [*unsettled.settling, *unsettled.entries]
        self.count += len(unsettled.settling)
        unsettled.settling = ()
        rest_seconds = REFUSED_SECONDS
        match error:
            case LedgerRefused():
                detail = str(error)[:DETAIL_CHARACTERS_MAX]
                self.unwritable[key] = Blocker(BlockReason.WRITE_REFUSED, detail, now)
            case LaneMissing():
                self.unwritable[key] = Blocker(BlockReason.ROW_MISSING, str(error), now)
            case _:
                rest_seconds = FAILED_SECONDS
        unsettled.rests_until = now + rest_seconds


def spans_of(entries: Iterable[Entry]) -> tuple[Span, ...]:
    """The entries as spans: neighbours in the chain with one outcome become one."""
    runs: list[list[Entry]] = []
    for entry in sorted(entries, key=lambda e: (e.line, not e.never_came)):
        if entry.outcome is None:  # an end marker
            continue
        last = runs[-1][-1] if runs else None
        if last and last.line == entry.prev and last.outcome is entry.outcome:
            runs[-1].append(entry)
        else:
            runs.append([entry])
    return tuple(
        Span(run[0].prev, run[-1].line, sum(e.count for e in run), run[0].ordinal, outcome)
        for run in runs
        if (outcome := run[0].outcome)
    )


def dead_letter_of(entry: Entry, now: float) -> DeadLetter:
    """The dead letter of a refused order, or of a record that is no envelope."""
    position = position_of_line(entry.line)
    if entry.key is None:
        position = f"{entry.position.sequence}-{entry.position.sub_sequence}"
    return DeadLetter(
        upload=entry.key.upload if entry.key else UNREADABLE,
        position=position,
        lane=entry.key.lane if entry.key else 0,
        line=entry.line,
        # It may have been set aside before it was made ready.
        order_id=entry.order_id or entry.carried_id or order_id_of(entry.body) or "",
        body=entry.body,
        status=entry.status,
        reason=entry.reason,
        answer=entry.answer,
        attempts=entry.attempts,
        first_attempt_at=entry.first_attempt_at,
        refused_at=now,
    )
