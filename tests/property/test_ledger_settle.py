"""Does a lane count every order once, however its settles are cut, ordered and repeated?"""

from collections import Counter
from dataclasses import replace
from itertools import accumulate, pairwise
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from ledger.uploads.lane import Lane, LaneKey, LaneNumber, Tally
from ledger.uploads.settlement import Settlement, Span, settle
from orders.outcome import Outcome
from orders.upload import UploadId

KEY = LaneKey(UploadId("5eed" * 5), LaneNumber(0))
FINAL = (Outcome.ACCEPTED, Outcome.REFUSED, Outcome.CANCELLED)

Chain = tuple[int, ...]  # the lines of a lane's orders
Cut = tuple[int, int, Outcome]  # orders from one index to another came to this

chains = st.lists(st.integers(1, 3), min_size=1, max_size=24).map(
    lambda steps: (*accumulate(steps),)
)


@st.composite
def histories(
    draw: st.DrawFn, outcomes: tuple[Outcome, ...] = tuple(Outcome)
) -> tuple[Chain, list[list[Cut]]]:
    """A chain, and settlements that tell of ranges of it in any order, again and again."""
    chain = draw(chains)
    index = st.integers(0, len(chain) - 1)
    cut = st.tuples(index, index, st.sampled_from(outcomes)).map(
        lambda c: (min(c[0], c[1]), max(c[0], c[1]), c[2])
    )
    return chain, draw(st.lists(st.lists(cut, max_size=4), max_size=12))


def span(chain: Chain, cut: Cut) -> Span:
    first, last, outcome = cut
    prev = chain[first - 1] if first else 0
    return Span(prev, chain[last], last - first + 1, first + 1, outcome)


def settled(lane: Lane, chain: Chain, cuts: list[Cut]) -> Lane:
    settlement = Settlement(tuple(span(chain, cut) for cut in cuts))
    return settle(lane, settlement, writer="w")


def expected(chain: Chain, cuts: list[Cut]) -> dict[int, Outcome]:
    """Order by order: the first outcome stands, but `missing` only until the order comes."""
    outcomes: dict[int, Outcome] = {}
    for first, last, outcome in cuts:
        for line in chain[first : last + 1]:
            if outcomes.get(line) in (None, Outcome.MISSING):
                outcomes[line] = outcome
    return outcomes


def assert_lane_says(lane: Lane, chain: Chain, outcomes: dict[int, Outcome]) -> None:
    counts = Counter(outcomes.values())
    prefix = 0
    while prefix < len(chain) and chain[prefix] in outcomes:
        prefix += 1
    missing = {line for line, outcome in outcomes.items() if outcome is Outcome.MISSING}
    assert lane.tally == Tally(**{outcome.value: counts[outcome] for outcome in Outcome})
    assert lane.mark == (chain[prefix - 1] if prefix else 0)
    assert lane.mark_ordinal == prefix
    assert {line for line in chain if lane.is_missing(line)} == missing
    assert {line for line in chain if lane.is_settled(line)} == set(outcomes) - missing
    assert sum(gap.count for gap in lane.gaps) == len(missing)


@given(histories())
@example(((1, 2, 3), [[(0, 1, Outcome.ACCEPTED)], [(0, 2, Outcome.ACCEPTED)]]))
@example(((1, 2, 3), [[(0, 2, Outcome.MISSING)], [(0, 1, Outcome.ACCEPTED)]]))
@example(((1, 2, 3), [[(1, 1, Outcome.ACCEPTED)], [(0, 2, Outcome.MISSING)]]))
@example(((1, 2, 3), [[(1, 1, Outcome.ACCEPTED), (0, 2, Outcome.MISSING)]]))
def test_after_every_settle_each_order_is_counted_once_by_its_outcome(
    history: tuple[Chain, list[list[Cut]]],
) -> None:
    chain, settlements = history
    lane, told = Lane(KEY), list[Cut]()

    for cuts in settlements:
        lane = settled(lane, chain, cuts)
        told += cuts

        assert_lane_says(lane, chain, expected(chain, told))


@given(histories(), st.randoms(use_true_random=False))
def test_settling_everything_once_more_changes_nothing(
    history: tuple[Chain, list[list[Cut]]], random: Random
) -> None:
    chain, settlements = history
    lane = Lane(KEY)
    for cuts in settlements:
        lane = settled(lane, chain, [cut for cut in cuts if cut[2] is not Outcome.MISSING])
    again = list(settlements)
    random.shuffle(again)

    repeated = lane
    for cuts in again:
        repeated = settled(repeated, chain, [c for c in cuts if c[2] is not Outcome.MISSING])

    assert replace(repeated, revision=lane.revision) == lane


@given(chains, st.data())
def test_settles_in_any_order_end_at_the_same_lane(chain: Chain, data: st.DataObject) -> None:
    outcomes = [data.draw(st.sampled_from(FINAL)) for _ in chain]
    singles = [(i, i, outcome) for i, outcome in enumerate(outcomes)]
    shuffled = data.draw(st.permutations(singles))

    in_order = settled(Lane(KEY), chain, singles)
    anyhow = Lane(KEY)
    for cut in shuffled:
        anyhow = settled(anyhow, chain, [cut])

    assert (anyhow.mark, anyhow.ahead, anyhow.gaps, anyhow.tally) == (
        chain[-1],
        (),
        (),
        in_order.tally,
    )


@given(histories())
def test_one_settlement_says_the_same_as_many(history: tuple[Chain, list[list[Cut]]]) -> None:
    chain, settlements = history
    one_by_one = Lane(KEY)
    for cuts in settlements:
        one_by_one = settled(one_by_one, chain, cuts)

    at_once = settled(Lane(KEY), chain, [cut for cuts in settlements for cut in cuts])

    assert replace(at_once, revision=0) == replace(one_by_one, revision=0, writer=at_once.writer)


@given(histories())
def test_what_is_ahead_is_beyond_the_mark_in_order_and_apart(
    history: tuple[Chain, list[list[Cut]]],
) -> None:
    chain, settlements = history
    lane = Lane(KEY)

    for cuts in settlements:
        lane = settled(lane, chain, cuts)

        ends = [lane.mark, *(line for s in lane.ahead for line in (s.prev, s.line))]
        assert all(a < b for a, b in pairwise(ends))


@given(histories(), st.lists(st.integers(1, 5), min_size=24, max_size=24))
def test_the_mark_never_sticks_even_where_counts_were_only_guessed(
    history: tuple[Chain, list[list[Cut]]], guesses: list[int]
) -> None:
    # A consumer that finds several ranges missing may know only their sum.
    chain, settlements = history
    cuts = [cut for settlement in settlements for cut in settlement]
    guessed = [
        replace(span(chain, cut), count=guess) if cut[2] is Outcome.MISSING else span(chain, cut)
        for cut, guess in zip(cuts, guesses * 2, strict=False)
    ]
    lane = settle(Lane(KEY), Settlement(tuple(guessed)), writer="w")

    lane = settled(lane, chain, [(0, len(chain) - 1, Outcome.ACCEPTED)])

    assert (lane.mark, lane.ahead, lane.gaps, lane.tally.missing) == (chain[-1], (), (), 0)
