"""Which records of a lane are new orders, which are repeats, and which are missing?"""

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

    def take_order(self, envelope: OrderEnvelope, position: StreamPosition) -> list[Entry]:
        """The entries for one order: itself, before it what is missing, or only its position.

        A line that was taken or is settled is a repeat: its entry is settled at once, so that the
        checkpoint can pass it. An order of a recorded gap that comes after all is sent.
        """
        line, key, missing = envelope.line, self.lane.key, list[Entry]()
        is_repeat = line <= self.taken_line
        if self._comes_after_all(line):
            self.recovered.add(line)
            is_repeat = False
        elif not is_repeat:
            missing = self._missing_before(envelope.prev, envelope.ordinal - 1, position)
            is_repeat = self.lane.is_settled(line)
            self.taken_line, self.taken_ordinal = line, envelope.ordinal
        if is_repeat:
            return [*missing, Entry(position, key, 0, 0, 0, count=0, stage=Stage.SETTLED)]
        order = Entry(position, key, envelope.prev, line, envelope.ordinal, body=envelope.body)
        order.carried_id = envelope.order_id
        return [*missing, order]

    def take_end(self, marker: EndMarker, position: StreamPosition) -> list[Entry]:
        """The entries for an end marker: missing orders before it, and the end itself.

        A repeated end is settled again: the process before this one may have died before it closed
        the upload.
        """
        missing = self._missing_before(marker.prev, marker.ordinal, position)
        self.taken_line = max(self.taken_line, marker.prev)
        end = Entry(position, self.lane.key, marker.prev, marker.prev, marker.ordinal, count=0)
        end.stage, end.ends_lane = Stage.DONE, True
        return [*missing, end]

    def _comes_after_all(self, line: int) -> bool:
        """Was this line given up as missing, and has not come since?"""
        if line > self.taken_line or line in self.recovered:
            return False
        return self.lane.is_missing(line) or any(a < line <= b for a, b in self.gaps)

    def _missing_before(self, prev: int, ordinal: int, position: StreamPosition) -> list[Entry]:
        """What is missing between the last order taken and a record's named predecessor.

        Where several ranges are missing only their sum is known: the last one takes what is left.
        """
        if prev <= self.taken_line:
            return []
        between = [r for r in self.lane.ahead if self.taken_line <= r.prev < prev]
        left = ordinal - self.taken_ordinal - sum(settled.count for settled in between)
        missing: list[Entry] = []
        for after, line in self._unsettled(self.taken_line, prev):
            entry = Entry(position, self.lane.key, after, line, self.taken_ordinal + 1)
            entry.stage, entry.outcome, entry.never_came = Stage.DONE, Outcome.MISSING, True
            missing.append(entry)
            self.gaps.append((after, line))
            left -= 1
        if missing:
            missing[-1].count += max(left, 0)
        return missing

    def _unsettled(self, after: int, upto: int) -> Iterator[tuple[int, int]]:
        """The ranges of the lane between two lines that the ledger has not settled."""
        for settled in self.lane.ahead:
            if settled.line <= after or settled.prev >= upto:
                continue
            if settled.prev > after:
                yield after, settled.prev
            after = settled.line
        if after < upto:
            yield after, upto

    def ends_reached(self, entries: Collection[Entry]) -> set[Entry]:
        """The end markers among these entries before which nothing but these is unsettled.

        What comes after an end marker does not hold it up: it may wait behind a full window that
        begins with the marker.
        """
        known, reached = set(entries), set[Entry]()
        for entry in self.in_hand:
            if entry.ends_lane:
                reached.add(entry)
            elif entry not in known:
                break
        return reached & known

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
