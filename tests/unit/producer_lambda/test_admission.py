import gzip

import pytest

from ledger.memory.ledger import MemoryLedger
from ledger.ports.pace_steps import configure
from ledger.ports.uploads import Source
from orders.formats import Format, Layout
from orders.rate import NO_LIMIT, Rate
from orders.upload import UploadId
from producer_lambda.admission import SAMPLE_BYTES, decide, estimate_orders, take_sample
from tests.producer_world import World, order_line

PLAIN = Format(Layout.JSON_LINES, is_gzip=False)
PACKED = Format(Layout.JSON_LINES, is_gzip=True)
TEXT = b"".join(order_line(number) + b"\n" for number in range(50_000))


def test_a_small_file_is_counted() -> None:
    assert estimate_orders(b"a\nb\nc", 5, PLAIN) == 3
    assert estimate_orders(b"a\nb\n", 4, PLAIN) == 2
    assert estimate_orders(b"", 0, PLAIN) == 0
    packed = gzip.compress(b"a\nb\n")
    assert estimate_orders(packed, len(packed), PACKED) == 2


@pytest.mark.parametrize(("form", "stored"), [(PLAIN, TEXT), (PACKED, gzip.compress(TEXT, 1))])
def test_a_large_file_is_estimated_from_its_beginning(form: Format, stored: bytes) -> None:
    sample = take_sample([stored[:100_000], stored[100_000:]])

    assert len(sample) == SAMPLE_BYTES
    assert estimate_orders(sample, len(stored), form) == pytest.approx(50_000, rel=0.1)


def test_what_only_claims_to_be_packed_is_estimated_without_an_error() -> None:
    assert estimate_orders(b"no gzip at all", 14, PACKED) == 1


def test_an_upload_that_fits_is_let_in() -> None:
    assert _decide(estimate=77_000) is None


def test_one_that_would_outlive_the_stream_is_refused_with_what_to_raise() -> None:
    refusal = _decide(estimate=100_000)

    assert refusal is not None
    assert refusal == (
        "100,000 orders (about 100,000 of this file) take 27.8 hours at 1/s, and the stream keeps "
        "an order for 24.0 hours, of which 90% may be used: deploy with RetentionHours=31 and "
        "upload it again, or upload at most 77,760 orders now"
    )


def test_all_open_uploads_count_for_what_they_have_not_sent() -> None:
    assert _decide(estimate=40_000, others=30_000) is None
    refusal = _decide(estimate=40_000, others=50_000)

    assert refusal is not None
    assert "90,000 orders (about 40,000 of this file)" in refusal
    assert "at most 27,760 orders now" in refusal


def test_where_nothing_fits_any_more_it_says_to_wait() -> None:
    refusal = _decide(estimate=1_000, others=80_000)

    assert refusal is not None
    assert refusal.endswith("RetentionHours=26 and upload it again, or wait until others are sent")


def test_what_no_retention_could_hold_needs_a_higher_pace() -> None:
    refusal = _decide(estimate=100_000_000)

    assert refusal is not None
    assert "raise the pace (`orders pace`) and upload it again" in refusal


@pytest.mark.parametrize("rate", [None, NO_LIMIT])
def test_without_a_known_pace_every_upload_is_let_in(rate: Rate | None) -> None:
    assert decide([], rate=rate, retention_hours=24, own=10**9) is None


def test_a_cancelled_upload_needs_no_room() -> None:
    ledger = MemoryLedger()
    _announce(ledger, "a" * 20, 1_000_000)
    ledger.cancel(UploadId("a" * 20), reason="a mistake", now=0.0)

    assert decide(ledger.open_accounts(), rate=Rate(1.0), retention_hours=24, own=0) is None


def test_the_ledgers_pace_counts_before_the_setting() -> None:
    world = World(rate=Rate(1.0))
    pace = world.ledger.read_pace()
    assert world.ledger.swap_pace(pace, configure(pace, "1/h", now=0.0))
    request = world.store(b"\n".join(map(order_line, range(50))))

    world.run(request)

    upload = world.account(request).upload
    assert upload.state == "refused_admission"
    assert "50 orders (about 50 of this file) take 2.1 days at 1/h" in upload.reason
    assert upload.estimate == 50
    assert world.stream.records == []
    assert not upload.listed_open


def _announce(ledger: MemoryLedger, name: str, estimate: int) -> None:
    upload = UploadId(name)
    ledger.announce(upload, Source("b", "k", "v", "e", 1), now=0.0)
    ledger.start_run(upload, token="t", lanes=1, now=0.0)
    ledger.admit(upload, token="t", estimate=estimate, now=0.0)


def _decide(*, estimate: int, others: int = 0) -> str | None:
    ledger = MemoryLedger()
    _announce(ledger, "a" * 20, others)
    _announce(ledger, "b" * 20, estimate)
    refusal = decide(ledger.open_accounts(), rate=Rate(1.0), retention_hours=24, own=estimate)
    return refusal.sentence if refusal else None
