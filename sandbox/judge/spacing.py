"""Were the starts of attempts as far apart as the pace asks, and no turn wasted (promise 3)?"""

from collections.abc import Sequence
from itertools import pairwise

from orders.rate import Rate
from sandbox.judge.observations import Observed, Request
from sandbox.judge.verdict import PromiseVerdict, some

PROMISED_GAP_SHARE = 0.99
"""No two starts closer than this part of the interval."""
CROWD_PER_SECOND = 50.0
"""Above this rate the starts in PROMISED_CROWD_SECONDS are counted instead of judging each gap."""
PROMISED_CROWD_SECONDS = 0.1
PROMISED_NOTICE_SECONDS = 1.0
"""Every process sees a new pace within this time."""


def pace_is_kept(
    seen: Observed,
    *,
    rates: Sequence[tuple[float, Rate]],
    busy: Sequence[tuple[float, float]] = (),
    gap_share: float = PROMISED_GAP_SHARE,
    least_used: float = 0.985,
) -> PromiseVerdict:
    """Promise 3, over all requests, retries included.

    rates: the pace from a moment on, in order; times as in the log. busy: ranges in which orders
    waited and nothing blocked sending, so that at least `least_used` of the turns must be used.
    gap_share: the smallest gap as a part of the interval.
    """
    requests = seen.requests
    breaches = []
    gaps = [later.t - earlier.t for earlier, later in pairwise(requests)]
    close = [
        f"{gap:.4f} s before {later.order_id}"
        for gap, (earlier, later) in zip(gaps, pairwise(requests), strict=True)
        if gap < gap_share * _least_interval(rates, earlier.t, later.t)
    ]
    if close:
        breaches.append(f"{len(close)} gaps are too small: {some(close)}")
    breaches += _crowds(requests, rates)
    shares = [share for span in busy if (share := turns_used(requests, rates, span)) is not None]
    breaches += [
        f"only {share:.1%} of the turns were used" for share in shares if share < least_used
    ]
    used = f"; {min(shares):.1%} of the turns used" if shares else ""
    evidence = f"{len(requests)} requests, smallest gap {min(gaps, default=0.0):.3f} s{used}"
    return PromiseVerdict(3, evidence, tuple(breaches))


def turns_used(
    requests: Sequence[Request], rates: Sequence[tuple[float, Rate]], span: tuple[float, float]
) -> float | None:
    """The part of the turns that was used between a range's first and last request.

    None where it holds fewer than two requests, or where there is no limit.
    """
    starts = [request.t for request in requests if span[0] <= request.t <= span[1]]
    interval = _least_interval(rates, span[0] + PROMISED_NOTICE_SECONDS, span[1])
    if len(starts) <= 1 or not interval:
        return None
    return (len(starts) - 1) * interval / (starts[-1] - starts[0])


def _rates_between(rates: Sequence[tuple[float, Rate]], start: float, end: float) -> list[Rate]:
    standing = [rate for since, rate in rates if since <= start][-1:]
    return standing + [rate for since, rate in rates if start < since <= end]


def _least_interval(rates: Sequence[tuple[float, Rate]], start: float, end: float) -> float:
    """The shortest interval that held, or was believed, in a span of time.

    0 where the crowd rule applies instead.
    """
    found = _rates_between(rates, start - PROMISED_NOTICE_SECONDS, end)
    intervals = [
        0.0 if (rate.per_second or 0) > CROWD_PER_SECOND else rate.interval_seconds
        for rate in found
    ]
    return min(intervals, default=0.0)


def _crowds(requests: Sequence[Request], rates: Sequence[tuple[float, Rate]]) -> list[str]:
    """Above CROWD_PER_SECOND: in any 100 ms at most a tenth of the rate plus one."""
    first, worst = 0, ""
    for last, request in enumerate(requests):
        while request.t - requests[first].t >= PROMISED_CROWD_SECONDS:
            first += 1
        limits = _rates_between(rates, requests[first].t - PROMISED_NOTICE_SECONDS, request.t)
        if any(rate.per_second is None for rate in limits):
            continue
        fastest = max((rate.per_second or 0.0 for rate in limits), default=0.0)
        count = last - first + 1
        if fastest > CROWD_PER_SECOND and count > fastest * PROMISED_CROWD_SECONDS + 1:
            worst = worst or f"{count} requests within 100 ms at a pace of {fastest:g} a second"
    return [worst] if worst else []
