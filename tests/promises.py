"""Is each promise of docs/guarantees.md kept? One named check a promise, for every kind of test.

The checks are the judge of the demo, turned into assertions: a test gathers what it saw as
`sandbox.judge.observations.Observed` and names the promise that it leans on.
"""

from collections.abc import Collection, Sequence

from orders.rate import Rate
from sandbox.judge import completeness, outage, sequence, spacing
from sandbox.judge.observations import Observed
from sandbox.judge.outage import Outage
from sandbox.judge.sequence import TakeOver
from sandbox.judge.verdict import PromiseVerdict

LEAST_USED = 0.9
"""What a test asks for on a machine with other work: benchmarks/pacing.py measures the share."""


def nothing_is_lost(seen: Observed) -> None:
    """Promise 1: the numbers add up at every look and agree with what the API received."""
    _assert_kept(completeness.nothing_is_lost(seen))


def repeats_are_bounded(seen: Observed, *, kills: int = 0, window: int = 1) -> None:
    """Promise 2: at most `window` repeats for each of `kills`, under the same key."""
    _assert_kept(completeness.repeats_are_bounded(seen, kills=kills, window=window))


def pace_is_kept(
    seen: Observed,
    *,
    rates: Sequence[tuple[float, Rate]],
    busy: Sequence[tuple[float, float]] = (),
    gap_share: float = spacing.PROMISED_GAP_SHARE,
    least_used: float = LEAST_USED,
) -> None:
    """Promise 3: no start too early, and in `busy` ranges no turn wasted."""
    _assert_kept(
        spacing.pace_is_kept(
            seen, rates=rates, busy=busy, gap_share=gap_share, least_used=least_used
        )
    )


def order_is_kept(seen: Observed, *, whole_file: bool = True) -> None:
    """Promise 4: orders of one id, or of the whole file, are begun in file order."""
    _assert_kept(sequence.order_is_kept(seen, whole_file=whole_file))


def outage_costs_time_only(
    seen: Observed, *, outages: Sequence[Outage], refused_for_good: Collection[str] = ()
) -> None:
    """Promise 5: sending held, probed with single attempts, and went on; no good order died."""
    _assert_kept(
        outage.outage_costs_time_only(seen, outages=outages, refused_for_good=refused_for_good)
    )


def old_owner_stops(seen: Observed, *, take_overs: Sequence[TakeOver], window: int = 1) -> None:
    """Promise 6: a process that was killed or superseded sends nothing after its current turn."""
    _assert_kept(sequence.old_owner_stops(seen, take_overs=take_overs, window=window))


def _assert_kept(verdict: PromiseVerdict) -> None:
    assert verdict.is_kept, "\n".join(
        [f"promise {verdict.promise}, {verdict.name}: broken", *verdict.breaches, verdict.evidence]
    )
