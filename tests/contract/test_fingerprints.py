"""What every ledger promises about the bytes that uploads held."""

from dataclasses import replace

import pytest

from ledger.earlier_upload import claim_bytes, find_same_bytes
from ledger.uploads.upload import Account, Source, UploadState
from orders.outcome import Outcome
from orders.upload import UploadId
from tests.contract.test_races import race
from tests.support.stores import (
    OTHER_UPLOAD,
    SOURCE,
    UPLOAD,
    Ledger,
    Store,
    begin,
    finish,
    lane_of,
    orders,
    told,
)

THIRD_UPLOAD = UploadId("3" * 20)


def id_of(account: Account | None) -> UploadId | None:
    return account.upload.id if account else None


def test_the_first_upload_holds_a_fingerprint(store: Store) -> None:
    assert store.ledger.holder_of("e-1") is None

    first = store.ledger.claim_fingerprint("e-1", UPLOAD, now=1.0)
    second = store.another().claim_fingerprint("e-1", OTHER_UPLOAD, now=2.0)
    again = store.another().claim_fingerprint("e-1", UPLOAD, now=3.0)

    assert first == second == again == UPLOAD == store.another().holder_of("e-1")
    assert store.ledger.claim_fingerprint("e-2", OTHER_UPLOAD, now=1.0) == OTHER_UPLOAD


def test_a_fingerprint_is_taken_over_from_the_one_that_is_named(store: Store) -> None:
    store.ledger.claim_fingerprint("e-1", UPLOAD, now=1.0)

    taken = store.ledger.claim_fingerprint("e-1", OTHER_UPLOAD, instead_of=UPLOAD, now=2.0)
    late = store.another().claim_fingerprint("e-1", THIRD_UPLOAD, instead_of=UPLOAD, now=2.0)

    assert taken == late == OTHER_UPLOAD


def test_of_several_at_once_one_holds_the_fingerprint(shared_store: Store) -> None:
    def work(ledger: Ledger, number: int) -> UploadId:
        return ledger.claim_fingerprint("e-1", UploadId(f"{number:020x}"), now=1.0)

    held = race(shared_store, work)

    assert set(held) == {shared_store.ledger.holder_of("e-1")}


def test_the_same_bytes_are_noticed_however_often_they_are_asked_for(ledger: Ledger) -> None:
    begin(ledger)
    quoted = replace(SOURCE, key="uploads/copy.jsonl", version_id="v2", etag='"etag"')

    first = claim_bytes(ledger, SOURCE, UPLOAD, now=1.0)
    own = claim_bytes(ledger, SOURCE, UPLOAD, now=2.0)
    others = [claim_bytes(ledger, quoted, OTHER_UPLOAD, now=3.0) for _ in range(2)]

    assert (first, own) == (None, None)
    assert [id_of(one) for one in others] == [UPLOAD, UPLOAD]
    assert id_of(find_same_bytes(ledger, quoted)) == UPLOAD


@pytest.mark.parametrize(
    "other", [replace(SOURCE, etag="another"), replace(SOURCE, size_bytes=1_235)]
)
def test_other_bytes_are_not(ledger: Ledger, other: Source) -> None:
    begin(ledger)
    claim_bytes(ledger, SOURCE, UPLOAD, now=1.0)

    assert find_same_bytes(ledger, other) is None
    assert claim_bytes(ledger, other, OTHER_UPLOAD, now=1.0) is None


@pytest.mark.parametrize("source", [replace(SOURCE, etag=""), replace(SOURCE, size_bytes=0)])
def test_what_has_no_bytes_or_no_etag_is_like_nothing_else(ledger: Ledger, source: Source) -> None:
    begin(ledger)
    claim_bytes(ledger, source, UPLOAD, now=1.0)

    assert claim_bytes(ledger, source, OTHER_UPLOAD, now=1.0) is None
    assert find_same_bytes(ledger, source) is None


def test_an_upload_of_which_nothing_was_sent_makes_way(ledger: Ledger) -> None:
    begin(ledger)
    claim_bytes(ledger, SOURCE, UPLOAD, now=1.0)
    finish(ledger, 0, state=UploadState.REFUSED_ADMISSION)

    found = find_same_bytes(ledger, SOURCE)
    second = claim_bytes(ledger, SOURCE, OTHER_UPLOAD, now=2.0)

    assert found is None
    assert second is None
    assert ledger.holder_of("etag-1234") == OTHER_UPLOAD


def test_an_upload_that_ended_after_it_sent_orders_does_not(ledger: Ledger) -> None:
    begin(ledger)
    claim_bytes(ledger, SOURCE, UPLOAD, now=1.0)
    ledger.settle(lane_of(ledger), told(orders(1, 2, Outcome.ACCEPTED), ended=True))
    finish(ledger, 2)

    assert id_of(claim_bytes(ledger, SOURCE, OTHER_UPLOAD, now=2.0)) == UPLOAD


def test_the_row_of_an_upload_names_the_one_with_the_same_bytes(ledger: Ledger) -> None:
    begin(ledger)

    ledger.write_estimate(UPLOAD, token="run-1", estimate=7, now=1_002.0, duplicate_of=OTHER_UPLOAD)

    account = ledger.read_account(UPLOAD)
    assert account is not None
    assert account.upload.duplicate_of == OTHER_UPLOAD
