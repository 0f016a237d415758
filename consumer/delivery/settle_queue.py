"""What is to be told to the ledger, and when?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from consumer.delivery.actions import Settle
from consumer.delivery.entries import Entry, Stage
from consumer.delivery.events import Observer, OrdersSettled
from consumer.delivery.lane_tracks import LaneTrack
from consumer.delivery.window_size import Latency
from ledger.pace.pace import Blocker
from ledger.uploads.dead_letter import UNREADABLE, DeadLetter, position_of_line
from ledger.uploads.lane import Lane, LaneKey
from ledger.uploads.settlement import Settlement, Span
from orders.envelope import order_id_of
from orders.outcome import Outcome

SETTLE_SPACING_SECONDS = 0.2
"""Two settles of one lane start at least this far apart, unless the window waits for one."""
SETTLE_ORDERS_MAX = 5_000
"""One settle tells of at most so many entries."""
FAILED_SECONDS = 1.0
"""A settle that failed is made again after this."""
REFUSED_SECONDS = 5.0
"""A settle that the ledger refuses is made again after this: somebody may have put it right."""
NEVER = float("inf")


@dataclass(slots=True)
class Ready:
    """Entries of one lane whose outcome is known and which the ledger does not have."""

    entries: list[Entry] = field(default_factory=list)
    next_start: float = 0.0
    rests_until: float = 0.0  # a settle failed
    told: tuple[Entry, ...] = ()  # what the settle on its way tells


class SettleQueue:
    """What the ledger is to be told, lane by lane, one settle of a lane at a time."""

    def __init__(self) -> None:
        """Start with nothing to tell."""
        self._lanes: dict[LaneKey | None, Ready] = {}
        self._latency = Latency(8, 0.01)
        self.count = 0
        self.refused: dict[LaneKey | None, Blocker] = {}  # lanes whose settle the ledger refuses

    def add(self, entry: Entry) -> None:
        """An entry's outcome is known."""
        self._lanes.setdefault(entry.key, Ready()).entries.append(entry)
        self.count += 1

    def is_pending(self, lanes: Mapping[LaneKey, LaneTrack]) -> bool:
        """Is there anything that the ledger does not have and can be told?"""
        return any(ready.told or to_tell(ready, lanes) for ready in self._lanes.values())

    def next(
        self, now: float, lanes: Mapping[LaneKey, LaneTrack], *, at_once: bool
    ) -> Ready | None:
        """A lane that a settle is due for, and that has something to tell."""
        for ready in self._lanes.values():
            if ready.told or not ready.entries or now < ready.rests_until:
                continue
            if (at_once or now >= ready.next_start) and to_tell(ready, lanes):
                return ready
        return None

    def due(self, lanes: Mapping[LaneKey, LaneTrack]) -> float:
        """When the next settle is due."""
        waiting = (r for r in self._lanes.values() if not r.told and to_tell(r, lanes))
        return min((max(r.next_start, r.rests_until) for r in waiting), default=NEVER)

    def seconds(self, per_second: float) -> float:
        """How long an order stays in hand after its answer, at this rate."""
        is_spaced = per_second * SETTLE_SPACING_SECONDS > 1.0
        return self._latency.worst + (SETTLE_SPACING_SECONDS if is_spaced else 0.0)

    def begin(
        self, ready: Ready, lanes: Mapping[LaneKey, LaneTrack], now: float, resumed: int
    ) -> Settle:
        """The settle of this lane, which has something to tell."""
        key = ready.entries[0].key
        told = to_tell(ready, lanes)
        kept = set(map(id, told))
        ready.entries = [entry for entry in ready.entries if id(entry) not in kept]
        ready.next_start = now + SETTLE_SPACING_SECONDS
        ready.told = tuple(told)
        self.count -= len(told)
        for entry in told:
            entry.stage = Stage.SETTLING
        settlement = Settlement(spans_of(told), any(e.ends_lane for e in told), resumed)
        letters = tuple(letter_of(e, now) for e in told if e.outcome is Outcome.REFUSED)
        return Settle(lanes[key].lane if key else None, settlement, letters, ready.told)

    def ended(
        self, lane: Lane | None, lanes: dict[LaneKey, LaneTrack], seconds: float, observe: Observer
    ) -> None:
        """A settle is made; `lane` is the row after it."""
        self._latency.add(seconds)
        key = lane.key if lane else None
        told, self._lanes[key].told = self._lanes[key].told, ()
        self.refused.pop(key, None)
        for entry in told:
            entry.stage = Stage.SETTLED
        if lane is None or key is None:
            return
        for span in spans_of(told):
            observe(OrdersSettled(key, span.outcome, span.count))
        track = lanes[key]
        track.lane = lane
        for entry in told:
            del track.in_hand[entry]
        if track.lane.ended and not track.in_hand:
            del self._lanes[key]
            del lanes[key]  # a repeat of the lane reads its row again

    def failed(self, key: LaneKey | None, now: float, blocker: Blocker | None = None) -> None:
        """A settle could not be made: its entries are to be told again.

        blocker: why making it again does not help, None where it may.
        """
        ready = self._lanes[key]
        for entry in ready.told:
            entry.stage = Stage.DONE
        ready.entries = [*ready.told, *ready.entries]
        self.count += len(ready.told)
        ready.told = ()
        if blocker:
            self.refused[key] = blocker
        ready.rests_until = now + (REFUSED_SECONDS if blocker else FAILED_SECONDS)


def to_tell(ready: Ready, lanes: Mapping[LaneKey, LaneTrack]) -> list[Entry]:
    """What the next settle of a lane tells; an end is told only once all before it is."""
    told = ready.entries[:SETTLE_ORDERS_MAX]
    key = told[0].key if told else None
    if key is None or not any(entry.ends_lane for entry in told):
        return told
    reached = lanes[key].ends_reached(told)
    return [entry for entry in told if not entry.ends_lane or entry in reached]


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


def letter_of(entry: Entry, now: float) -> DeadLetter:
    """The dead letter of a refused order, or of a record that is no envelope."""
    position = position_of_line(entry.line)
    if entry.key is None:
        position = f"{entry.position.sequence}-{entry.position.sub_sequence}"
    return DeadLetter(
        upload=entry.key.upload if entry.key else UNREADABLE,
        position=position,
        lane=entry.key.lane if entry.key else 0,
        line=entry.line,
        order_id=entry.order_id or order_id_of(entry.body) or "",  # it may have been set aside
        body=entry.body,
        status=entry.status,
        reason=entry.reason,
        answer=entry.answer,
        attempts=entry.attempts,
        first_attempt_at=entry.first_attempt_at,
        refused_at=now,
    )
