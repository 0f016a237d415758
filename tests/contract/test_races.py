"""The contract holds when several processes do the same thing at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TypeVar

from ledger.pace.pace import Pace
from ledger.uploads.lane import Tally
from ledger.uploads.upload import UploadState
from tests.support.stores import (
    SOURCE,
    UPLOAD,
    Ledger,
    Store,
    begin,
    claim,
    finish,
    lane_of,
    letter,
    orders,
    told,
)

RACERS = 4

T = TypeVar("T")


def race(store: Store, act: Callable[[Ledger, int], T]) -> list[T]:
    """What each racer's own ledger answered; all start together."""
    ledgers = [store.another() for _ in range(RACERS)]
    start = Barrier(RACERS, timeout=30)

    def run(number: int) -> T:
        start.wait()
        return act(ledgers[number], number)

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(run, range(RACERS)))


def test_announcers_all_get_the_row_of_one(shared_store: Store) -> None:
    rows = race(shared_store, lambda ledger, n: ledger.announce(UPLOAD, SOURCE, now=1_000.0 + n))

    assert len({row.created_at for row in rows}) == 1


def test_first_runs_agree_on_the_lanes_and_one_may_continue(shared_store: Store) -> None:
    shared_store.ledger.announce(UPLOAD, SOURCE, now=1_000.0)

    rows = race(
        shared_store,
        lambda ledger, n: ledger.start_run(UPLOAD, token=f"run-{n}", lanes=n + 1, now=1_001.0),
    )

    account = shared_store.ledger.read_account(UPLOAD)
    assert account is not None
    assert {row.lanes for row in rows} == {account.upload.lanes}
    assert [lane.key.lane for lane in account.lanes] == list(range(account.upload.lanes))
    may_go_on = [
        shared_store.ledger.write_estimate(UPLOAD, token=f"run-{n}", estimate=1, now=1_002.0)
        for n in range(RACERS)
    ]
    assert sum(may_go_on) == 1


def test_settlers_of_one_lane_lose_nothing_and_count_nothing_twice(shared_store: Store) -> None:
    begin(shared_store.ledger)
    view = lane_of(shared_store.ledger)

    def settle_all(ledger: Ledger, number: int) -> None:
        lane = view
        for first in range(1 + number, 41, 2):
            lane = ledger.settle(lane, told(orders(first, first + 1)))

    race(shared_store, settle_all)

    lane = lane_of(shared_store.ledger)
    assert (lane.mark, lane.ahead) == (41, ())
    assert lane.tally == Tally(accepted=41)
    assert lane.revision == sum(len(range(1 + number, 41, 2)) for number in range(RACERS))


def test_one_claimant_gets_the_number(shared_store: Store) -> None:
    taken = race(
        shared_store, lambda ledger, n: ledger.take_claim(claim(f"token-{n}"), instead_of=None)
    )

    (held,) = shared_store.ledger.claims("orders")
    assert [n for n in range(RACERS) if taken[n]] == [int(held.token.removeprefix("token-"))]


def test_no_change_of_the_pace_is_lost(shared_store: Store) -> None:
    def count_up(ledger: Ledger, _: int) -> None:
        for _step in range(5):
            while True:
                seen = ledger.read_pace()
                if ledger.swap_pace(seen, replace(seen, resumed=seen.resumed + 1)):
                    break

    race(shared_store, count_up)

    assert shared_store.ledger.read_pace() == Pace(resumed=5 * RACERS, revision=5 * RACERS)


def test_reader_and_consumers_close_an_upload_once(shared_store: Store) -> None:
    begin(shared_store.ledger)
    shared_store.ledger.settle(lane_of(shared_store.ledger), told(orders(1, 3), ended=True))

    def come_last(ledger: Ledger, number: int) -> None:
        if number:
            ledger.close_if_drained(UPLOAD, now=1_100.0 + number)
        else:
            finish(ledger, 3, now=1_100.0)

    race(shared_store, come_last)

    account = shared_store.ledger.read_account(UPLOAD)
    assert account is not None
    assert (account.upload.state, account.upload.listed_open) == (UploadState.DONE, False)
    assert shared_store.ledger.ended_tally() == Tally(accepted=3)


def test_one_dead_letter_is_kept_of_many_equal_ones(shared_store: Store) -> None:
    race(shared_store, lambda ledger, n: ledger.put_dead_letter(replace(letter(7), attempts=n)))

    assert len(list(shared_store.ledger.dead_letters(UPLOAD, limit=10))) == 1
