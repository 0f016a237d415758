"""The pace of the last minutes as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ledger.pace.history import KEPT_SECONDS, SAMPLE_SECONDS, Sample

WIDTH, HEIGHT = 900, 120
"""In units of the picture; one unit of width is a second."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One span of time, in the picture's units from its left and lower edge."""

    left: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The picture. top_per_second: the pace at its upper edge.

    target_height: None where no pace is set, or there is no limit.
    """

    bars: tuple[Bar, ...]
    top_per_second: float
    target_height: float | None


def chart(samples: Sequence[Sample], *, target_per_second: float | None, now: float) -> Chart:
    """The pace between samples at least SAMPLE_SECONDS apart, the newest at the right."""
    thinned = _thinned([s for s in samples if now - s.at <= KEPT_SECONDS])
    paces = [
        (earlier.at, later.at, max(0, later.sent - earlier.sent) / (later.at - earlier.at))
        for earlier, later in pairwise(thinned)
    ]
    top = max([pace for _, _, pace in paces] + [target_per_second or 0.0]) * 1.1 or 1.0
    bars = tuple(
        Bar(
            left=round(WIDTH - (now - since), 1),
            width=round(until - since, 1),
            height=round(pace / top * HEIGHT, 1),
        )
        for since, until, pace in paces
        if pace
    )
    target = round(target_per_second / top * HEIGHT, 1) if target_per_second else None
    return Chart(bars, top, target)


def _thinned(samples: Sequence[Sample]) -> list[Sample]:
    kept: list[Sample] = []
    for sample in samples:
        if not kept or sample.at - kept[-1].at >= SAMPLE_SECONDS:
            kept.append(sample)
    return kept
