"""What every ledger promises about redrives."""

from dataclasses import replace

import pytest

from ledger.uploads.dead_letter import UNREADABLE, position_of_line
from ledger.uploads.redrive import Redrive
from tests.contract.test_races import race
from tests.support.stores import OTHER_UPLOAD, UPLOAD, Ledger, Store, letter

KEY, OTHER_KEY = "uploads/redrive-1.jsonl", "uploads/redrive-2.jsonl"


def keep(ledger: Ledger, *lines: int) -> None:
    for line in lines:
        ledger.put_dead_letter(letter(line))


def claimed_for(ledger: Ledger, key: str | None) -> list[int]:
    return [one.line for one in ledger.dead_letters(UPLOAD, limit=1_000) if one.redrive_key == key]


def test_two_who_begin_at_once_work_on_one_redrive(store: Store) -> None:
    first = store.ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)
    second = store.another().begin_redrive(UPLOAD, key=OTHER_KEY, now=2.0)

    assert first == second == Redrive(UPLOAD, KEY)


def test_each_upload_has_a_redrive_of_its_own(ledger: Ledger) -> None:
    ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)

    other = ledger.begin_redrive(OTHER_UPLOAD, key=OTHER_KEY, now=1.0)

    assert other == Redrive(OTHER_UPLOAD, OTHER_KEY)


def test_letters_are_claimed_for_the_file_of_a_redrive(store: Store) -> None:
    keep(store.ledger, 1, 2, 3)
    redrive = store.ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)

    first = store.ledger.claim_letters(redrive, [letter(1), letter(2)])
    again = store.another().claim_letters(redrive, [letter(2)])

    assert (first, again) == (True, True)
    assert claimed_for(store.ledger, KEY) == [1, 2]
    assert claimed_for(store.ledger, None) == [3]


def test_more_letters_than_fit_into_one_write_are_claimed(shared_store: Store) -> None:
    ledger = shared_store.ledger  # moto takes seconds for so many
    lines = range(1, 121)
    keep(ledger, *lines)
    redrive = ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)

    assert ledger.claim_letters(redrive, [letter(line) for line in lines])

    assert claimed_for(ledger, KEY) == list(lines)


def test_letters_with_large_bodies_are_claimed(shared_store: Store) -> None:
    ledger = shared_store.ledger
    large = [replace(letter(line), body=b"x" * 300_000) for line in range(1, 21)]
    for one in large:
        ledger.put_dead_letter(one)
    redrive = ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)

    assert ledger.claim_letters(redrive, large)

    assert claimed_for(ledger, KEY) == list(range(1, 21))


def test_after_the_seal_nothing_more_is_claimed(store: Store) -> None:
    keep(store.ledger, 1, 2)
    redrive = store.ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)
    store.ledger.claim_letters(redrive, [letter(1)])
    sealed = store.another().seal_redrive(redrive)

    late = store.ledger.claim_letters(redrive, [letter(2)])

    assert (sealed, late) == (True, False)
    assert claimed_for(store.ledger, KEY) == [1]
    assert store.another().begin_redrive(UPLOAD, key=OTHER_KEY, now=2.0) == replace(
        redrive, is_sealed=True
    )


def test_a_redrive_that_ended_claims_and_seals_nothing(store: Store) -> None:
    keep(store.ledger, 1)
    redrive = store.ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)
    store.another().end_redrive(redrive)

    claimed = store.ledger.claim_letters(redrive, [letter(1)])
    sealed = store.ledger.seal_redrive(redrive)

    assert (claimed, sealed) == (False, False)
    assert claimed_for(store.ledger, None) == [1]


def test_a_late_participant_of_a_redrive_does_not_affect_the_next_one(store: Store) -> None:
    keep(store.ledger, 1)
    old = store.ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)
    store.ledger.end_redrive(old)
    new = store.ledger.begin_redrive(UPLOAD, key=OTHER_KEY, now=2.0)
    late = store.another()

    late.claim_letters(old, [letter(1)])
    late.seal_redrive(old)
    late.end_redrive(old)

    assert store.ledger.begin_redrive(UPLOAD, key="uploads/third.jsonl", now=3.0) == new
    assert claimed_for(store.ledger, None) == [1]


@pytest.mark.parametrize("is_marked", [True, False])
def test_a_letter_of_an_old_list_is_not_claimed_a_second_time(
    store: Store, *, is_marked: bool
) -> None:
    keep(store.ledger, 1, 2)
    stale = list(store.ledger.dead_letters(UPLOAD, limit=10))
    first = store.ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)
    store.ledger.claim_letters(first, stale[:1])
    if is_marked:
        store.ledger.mark_redriven(letter(1), upload=OTHER_UPLOAD)
    store.ledger.end_redrive(first)
    second = store.another().begin_redrive(UPLOAD, key=OTHER_KEY, now=2.0)

    assert store.another().claim_letters(second, stale)

    assert claimed_for(store.ledger, KEY) == [1]
    assert claimed_for(store.ledger, OTHER_KEY) == [2]


def test_a_missing_letter_is_not_claimed(ledger: Ledger) -> None:
    redrive = ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)

    assert ledger.claim_letters(redrive, [letter(7)])

    assert ledger.read_dead_letter(UPLOAD, position_of_line(7)) is None


def test_an_upload_can_be_redriven_until_every_letter_is_sent_again_and_the_redrive_ended(
    ledger: Ledger,
) -> None:
    assert set(ledger.redrivable_uploads()) == set()
    keep(ledger, 1)
    ledger.put_dead_letter(replace(letter(1), upload=UNREADABLE))
    refused = set(ledger.redrivable_uploads())
    redrive = ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)
    ledger.mark_redriven(letter(1), upload=OTHER_UPLOAD)
    marked = set(ledger.redrivable_uploads())
    ledger.end_redrive(redrive)

    assert refused == marked == {UPLOAD}
    assert set(ledger.redrivable_uploads()) == set()


def test_claims_and_the_seal_of_several_at_once_exclude_each_other(shared_store: Store) -> None:
    lines = list(range(1, 13))
    keep(shared_store.ledger, *lines)
    redrive = shared_store.ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)

    def work(ledger: Ledger, number: int) -> list[int]:
        for line in lines if number else ():
            ledger.claim_letters(redrive, [letter(line)])
        ledger.seal_redrive(redrive)
        return claimed_for(ledger, KEY)

    seen = race(shared_store, work)

    assert all(one == claimed_for(shared_store.ledger, KEY) for one in seen)


def test_concurrent_claims_of_the_same_letters_claim_each_once(shared_store: Store) -> None:
    lines = list(range(1, 9))
    keep(shared_store.ledger, *lines)

    def work(ledger: Ledger, number: int) -> bool:
        redrive = ledger.begin_redrive(UPLOAD, key=f"uploads/{number}.jsonl", now=1.0)
        return ledger.claim_letters(redrive, [letter(line) for line in lines])

    assert all(race(shared_store, work))

    redrive = shared_store.ledger.begin_redrive(UPLOAD, key=KEY, now=1.0)
    assert claimed_for(shared_store.ledger, redrive.key) == lines
