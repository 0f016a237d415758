"""Which records of the stream are new orders, which are repeats, and which are missing?"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from consumer.delivery.entries import Entry, Stage, StreamPosition
from ledger.pace.pace import Blocker, BlockReason, Pace
from ledger.uploads.lane import Lane, Recent
from orders.envelope import EndMarker, OrderEnvelope
from orders.outcome import Outcome


@dataclass(slots=True, eq=False)
class LaneTrack:
    """One lane as this process knows it: the ledger's last word, and what it took since.

    taken_line, taken_ordinal: the last order taken from the stream; at the start the mark.
    in_hand: entries of this lane that the ledger does not have yet, in stream order.
    was_used: records were taken since the row was read.
    gaps: ranges found missing since the start; recovered: lines of them that came after all.
    """

    lane: Lane
    taken_line: int
    taken_ordinal: int
    is_cancelled: bool = False
    was_used: bool = False
    in_hand: dict[Entry, None] = field(default_factory=dict)
    recent: Recent = field(default_factory=Recent)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    recovered: set[int] = field(default_factory=set)

    @classmethod
    def begin(cls, lane: Lane, *, is_cancelled: bool) -> "LaneTrack":
        """Start where the ledger stands."""
        return cls(
            lane, lane.mark, lane.mark_ordinal, is_cancelled=is_cancelled, recent=lane.recent
        )

    def count(
        self, outcome: Outcome, count: int, pace: Pace, budget: tuple[int, float]
    ) -> Blocker | None:
        """Count an outcome against the budget (N, P percent); a blocker where it is spent."""
        if pace.resumed > self.recent.resumed:
            self.recent = Recent(resumed=pace.resumed)
        self.recent = self.recent.plus(outcome, count)
        refused, length = self.recent.refused, self.recent.length
        most, percent = budget
        if outcome is not Outcome.REFUSED or refused <= most or refused * 100 <= percent * length:
            return None
        detail = (
            f"{refused} of the last {length} orders of upload {self.lane.key.upload} were refused; "
            "see `orders dead-letters list`, then `orders resume`"
        )
        return Blocker(BlockReason.REFUSAL_BUDGET_SPENT, detail, 0.0)

    def ends_reached(self, told: Collection[Entry]) -> set[Entry]:
        """The end markers among these entries before which nothing but these is unsettled.

        What comes after an end marker does not hold it up: it may lie behind a full window that
        begins with the marker.
        """
        known, reached = set(told), set[Entry]()
        for entry in self.in_hand:
            if entry.ends_lane:
                reached.add(entry)
            elif entry not in known:
                break
        return reached & known

    def comes_after_all(self, line: int) -> bool:
        """Was this line given up as missing, and has not come since?"""
        if line > self.taken_line or line in self.recovered:
            return False
        return self.lane.is_missing(line) or any(a < line <= b for a, b in self.gaps)


def take_order(track: LaneTrack, envelope: OrderEnvelope, position: StreamPosition) -> list[Entry]:
    """The entries for one order: itself, before it what is missing, or nothing but its position.

    A line that was taken or is settled is a repeat: its entry is settled at once, so that the
    checkpoint can pass it. An order of a recorded gap that comes after all is sent.
    """
    line = envelope.line
    if track.comes_after_all(line):
        track.recovered.add(line)
        return [_order(track, envelope, position)]
    if line <= track.taken_line:
        return [_repeat(track, position)]
    entries = _missing_before(track, envelope.prev, envelope.ordinal - 1, position)
    is_repeat = track.lane.is_settled(line)
    track.taken_line, track.taken_ordinal = line, envelope.ordinal
    taken = _repeat(track, position) if is_repeat else _order(track, envelope, position)
    return [*entries, taken]


def take_end(track: LaneTrack, marker: EndMarker, position: StreamPosition) -> list[Entry]:
    """The entries for an end marker: missing orders before it, and the end itself.

    A repeated end is told again: the process before this one may have died before it closed the
    upload.
    """
    entries = _missing_before(track, marker.prev, marker.ordinal, position)
    track.taken_line = max(track.taken_line, marker.prev)
    end = Entry(position, track.lane.key, marker.prev, marker.prev, marker.ordinal, count=0)
    end.ends_lane = True
    end.stage = Stage.DONE
    return [*entries, end]


def _missing_before(
    track: LaneTrack, prev: int, ordinal: int, position: StreamPosition
) -> list[Entry]:
    """What lies between the last order taken and the one that a record names as its predecessor.

    Where several ranges are missing only their sum is known, so the last one takes what is left.
    """
    if prev <= track.taken_line:
        return []
    ranges = list(_unsettled(track.lane, track.taken_line, prev))
    between = [r for r in track.lane.ahead if track.taken_line <= r.prev < prev]
    left = ordinal - track.taken_ordinal - sum(reach.count for reach in between)
    entries: list[Entry] = []
    for index, (after, line) in enumerate(ranges):
        is_last = index == len(ranges) - 1
        count = max(left, 1) if is_last else 1
        entry = Entry(position, track.lane.key, after, line, track.taken_ordinal + 1, count=count)
        entry.stage, entry.outcome, entry.never_came = Stage.DONE, Outcome.MISSING, True
        entries.append(entry)
        track.gaps.append((after, line))
        left -= count
    return entries


def _unsettled(lane: Lane, after: int, upto: int) -> Iterator[tuple[int, int]]:
    """The ranges of the lane between two lines that the ledger has not settled."""
    for reach in lane.ahead:
        if reach.line <= after or reach.prev >= upto:
            continue
        if reach.prev > after:
            yield after, reach.prev
        after = reach.line
    if after < upto:
        yield after, upto


def _order(track: LaneTrack, envelope: OrderEnvelope, position: StreamPosition) -> Entry:
    return Entry(
        position,
        track.lane.key,
        envelope.prev,
        envelope.line,
        envelope.ordinal,
        body=envelope.body,
    )


def _repeat(track: LaneTrack, position: StreamPosition) -> Entry:
    entry = Entry(position, track.lane.key, 0, 0, 0, count=0)
    entry.stage = Stage.SETTLED
    return entry
