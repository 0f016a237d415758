"""How well requests used the turns of a rate limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sandbox.judge.observations import Request

GAP_SHARE = 0.99
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Usage:
    """How the requests of a span of time used an interval. The share is of its turns.

    The smallest gap is in seconds; `close` counts gaps below GAP_SHARE of the interval.
    """

    share: float
    smallest_gap: float
    close: int
    requests: int
    refused: int


def usage(log: Sequence[Request], interval_seconds: float, *, begin: float, end: float) -> Usage:
    """Judge a span of the log, in seconds from the first accepted request."""
    first = next(request.t for request in log if request.is_accepted)
    seen = [request for request in log if first + begin <= request.t <= first + end]
    times = [request.t for request in seen if request.is_accepted]
    gaps = [later.t - earlier.t for earlier, later in pairwise(seen)]
    return Usage(
        share=(len(times) - 1) * interval_seconds / (times[-1] - times[0]),
        smallest_gap=min(gaps),
        close=sum(gap < GAP_SHARE * interval_seconds for gap in gaps),
        requests=len(seen),
        refused=sum(request.status == TOO_MANY_REQUESTS for request in seen),
    )
