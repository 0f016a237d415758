"""How fast orders are sent while nothing prevents it.

The last minutes without the parts that do not show that: another rate, too few orders waiting, a
pause, an outage, no worker. What is left is the evidence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from ledger.pace.history import Sample

HALT_SECONDS = 10.0
"""A shorter hold is part of the pace: an API that fails occasionally is slow, not down."""
UNSEEN_SECONDS = 30.0
"""If samples are further apart than this, perhaps no worker was sending."""
STALL_SECONDS = 60.0
STALL_INTERVALS = 5
"""If nothing is sent for so long, and for so many intervals, something is wrong."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How many orders were sent in how many seconds while nothing prevented it.

    stalled_seconds: for how long up to now nothing was sent, although nothing prevented it.
    """

    sent: int = 0
    seconds: float = 0.0
    stalled_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Span:
    """From one sample to the next."""

    start: Sample
    end: Sample

    @property
    def sent(self) -> int:
        return self.end.sent - self.start.sent

    @property
    def seconds(self) -> float:
        return self.end.at - self.start.at


def evidence(samples: Sequence[Sample], latest: Sample, *, orders_per_turn: int = 1) -> Evidence:
    """The evidence for the rate of `latest`. samples: the history, oldest first."""
    target = latest.target_per_second
    seen = [s for s in samples if s.at < latest.at and s.sent <= latest.sent]
    seen.append(latest)
    halts = [(since, s.at) for s in seen if (since := _long_halt(s)) is not None]
    used: list[_Span] = []
    stalled_seconds = 0.0
    spans = (_Span(start, end) for start, end in pairwise(seen))
    for counts, run in groupby(spans, lambda span: _counts(span, target, halts)):
        stalled_seconds = 0.0
        if counts:
            moving, stalled_seconds = _moving(run, stall_after_seconds(target, orders_per_turn))
            used.extend(moving)
    return Evidence(sum(s.sent for s in used), _seconds(used), stalled_seconds)


def stall_after_seconds(target: float | None, orders_per_turn: int = 1) -> float:
    """After how long without an order sent sending has stalled.

    target: orders a second, of which each turn may carry so many.
    """
    return max(STALL_SECONDS, STALL_INTERVALS * orders_per_turn / target if target else 0.0)


def _long_halt(sample: Sample) -> float | None:
    since = sample.halted_since
    return since if since is not None and sample.at - since >= HALT_SECONDS else None


def _counts(span: _Span, target: float | None, halts: Iterable[tuple[float, float]]) -> bool:
    """Does this span show how fast orders are sent, judging by its two ends?"""
    start, end = span.start, span.end
    if start.target_per_second != target or end.target_per_second != target:
        return False
    if span.seconds > UNSEEN_SECONDS:
        return False
    # Fewer orders than could be sent may have run out in between.
    if not end.waiting or start.waiting < max(span.sent, (target or 0.0) * span.seconds):
        return False
    return not any(since < end.at and start.at <= until for since, until in halts)


def _moving(run: Iterable[_Span], stall_seconds: float) -> tuple[list[_Span], float]:
    """The spans of a run without its start-up and its stalls, and how long it stalls at its end.

    Sending begins or ends somewhere within the span beside a stall, so that span is left out, too.
    """
    moving: list[_Span] = []
    still: list[_Span] = []
    has_begun = False
    for span in run:
        if not span.sent:
            still.append(span)
            continue
        was_stall = _seconds(still) >= stall_seconds
        if was_stall and moving:
            moving.pop()
        if not was_stall and (has_begun or not still):
            moving += [*still, span]
        has_begun, still = True, []
    stalled_seconds = _seconds(still)
    if has_begun and stalled_seconds < stall_seconds:
        moving += still
    return moving, stalled_seconds


def _seconds(spans: Iterable[_Span]) -> float:
    return sum(span.seconds for span in spans)
