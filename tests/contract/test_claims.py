"""What every ledger promises about worker numbers."""

from dataclasses import replace

from ledger.claim import STALE_SECONDS, Claim, LiveProcess, is_free
from tests.support.stores import Ledger, Store, claim


def free(held: Claim, *, host: str = "host-b", now: float, lives: bool = True) -> bool:
    return is_free(held, host=host, boot="boot-1", now=now, lives=lambda _: lives)


def test_a_free_number_is_taken_by_the_first(store: Store) -> None:
    first, second = claim("a"), claim("b")

    taken = store.ledger.take_claim(first, instead_of=None)
    lost = store.another().take_claim(second, instead_of=None)

    assert (taken, lost) == (True, False)
    assert list(store.ledger.claims("orders")) == [first]


def test_numbers_of_a_worker_id_are_listed_in_order(ledger: Ledger) -> None:
    for number in (10, 2, 1):
        ledger.take_claim(claim(f"t{number}", number=number), instead_of=None)
    ledger.take_claim(replace(claim("x"), worker_id="others"), instead_of=None)

    assert [held.number for held in ledger.claims("orders")] == [1, 2, 10]


def test_the_claims_of_all_workers_are_listed_for_display(store: Store) -> None:
    of_others = replace(claim("x", number=2), worker_id="others")
    for held in (claim("a"), claim("b", number=3), of_others):
        store.ledger.take_claim(held, instead_of=None)
    store.ledger.renew_claim(claim("a", heartbeat_at=3_010.0))
    store.ledger.release_claim(claim("b", number=3))

    assert list(store.another().all_claims()) == [claim("a", heartbeat_at=3_010.0), of_others]


def test_a_claim_is_read_as_it_was_written(ledger: Ledger) -> None:
    held = claim("a", heartbeat_at=3_000.123456, daemon=LiveProcess(101, 5_001))

    ledger.take_claim(held, instead_of=None)

    assert list(ledger.claims("orders")) == [held]


def test_a_heartbeat_and_the_daemon_are_renewed(store: Store) -> None:
    store.ledger.take_claim(claim("a"), instead_of=None)
    beaten = claim("a", heartbeat_at=3_010.0, daemon=LiveProcess(101, 5_001))

    with_daemon = store.ledger.renew_claim(beaten)
    seen = list(store.another().claims("orders"))
    without = store.ledger.renew_claim(claim("a", heartbeat_at=3_020.0))

    assert (with_daemon, seen) == (True, [beaten])
    assert without
    assert list(store.ledger.claims("orders")) == [claim("a", heartbeat_at=3_020.0)]


def test_a_stale_claim_is_taken_over_by_one(store: Store) -> None:
    stale = claim("dead")
    store.ledger.take_claim(stale, instead_of=None)
    (seen,) = store.ledger.claims("orders")
    now = stale.heartbeat_at + STALE_SECONDS + 0.1
    assert free(seen, now=now)

    first = store.ledger.take_claim(claim("a", heartbeat_at=now), instead_of=seen)
    second = store.another().take_claim(claim("b", heartbeat_at=now), instead_of=seen)

    assert (first, second) == (True, False)
    assert [held.token for held in store.ledger.claims("orders")] == ["a"]


def test_a_holder_that_shows_itself_in_time_keeps_its_number(store: Store) -> None:
    held = claim("slow")
    store.ledger.take_claim(held, instead_of=None)
    store.ledger.renew_claim(claim("slow", heartbeat_at=3_031.0))

    taken = store.another().take_claim(claim("b", heartbeat_at=3_031.0), instead_of=held)

    assert not taken


def test_a_worker_whose_number_was_taken_over_learns_it_at_its_next_heartbeat(
    store: Store,
) -> None:
    held = claim("old")
    store.ledger.take_claim(held, instead_of=None)
    store.another().take_claim(claim("new", heartbeat_at=3_100.0), instead_of=held)

    assert not store.ledger.renew_claim(claim("old", heartbeat_at=3_101.0))
    assert [c.token for c in store.ledger.claims("orders")] == ["new"]


def test_a_number_given_up_is_free_and_not_one_that_another_holds(store: Store) -> None:
    store.ledger.take_claim(claim("a"), instead_of=None)

    store.another().release_claim(claim("b"))
    still_held = list(store.ledger.claims("orders"))
    store.ledger.release_claim(claim("a"))

    assert [held.token for held in still_held] == ["a"]
    assert list(store.ledger.claims("orders")) == []
    assert not store.ledger.renew_claim(claim("a"))


def test_a_number_that_is_gone_is_not_taken_instead_of_anybody(ledger: Ledger) -> None:
    assert not ledger.take_claim(claim("a"), instead_of=claim("gone"))


def test_a_dead_process_of_this_machine_frees_its_number_at_once() -> None:
    held = claim("a")

    assert free(held, host="host-a", now=held.heartbeat_at, lives=False)
    assert not free(held, host="host-a", now=held.heartbeat_at + 1e6, lives=True)
    assert not free(held, now=held.heartbeat_at + STALE_SECONDS, lives=False)
