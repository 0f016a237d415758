import gzip
from collections.abc import Callable
from contextlib import suppress

import pytest

from ledger.memory.ledger import MemoryLedger
from ledger.pace.steps import configure
from ledger.uploads.upload import Progress, Source, UploadState
from orders.formats import Format, Layout
from orders.rate import NO_LIMIT, Rate
from orders.upload import UploadId
from producer_lambda.admission import SAMPLE_BYTES, decide, estimate_orders, take_sample
from producer_lambda.upload_run import RunEnd
from tests.support.producer_world import Fuse, Killed, World, consume, kill, order_line

PLAIN = Format(Layout.JSON_LINES, is_gzip=False)
PACKED = Format(Layout.JSON_LINES, is_gzip=True)
TEXT = b"".join(order_line(number) + b"\n" for number in range(50_000))
FIFTY = b"\n".join(map(order_line, range(50)))
TOO_SLOW = Rate(1 / 3600)
"""Fifty orders take longer than a stream of 24 hours keeps them."""


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


def test_a_false_gzip_is_estimated_without_an_error() -> None:
    assert estimate_orders(b"no gzip at all", 14, PACKED) == 1


def test_an_upload_that_fits_is_admitted() -> None:
    assert _decide(estimate=77_000) is None


def test_one_that_would_outlive_the_stream_is_refused_with_what_to_raise() -> None:
    refusal = _decide(estimate=100_000)

    assert refusal is not None
    assert refusal == (
        "100,000 orders (about 100,000 of this file) take 27.8 hours at 1/s, and the stream keeps "
        "an order for 24.0 hours, of which 90% may be used: deploy with RetentionHours=48 and "
        "upload it again, or upload at most 77,760 orders now"
    )


def test_a_turn_that_carries_a_hundred_orders_makes_room_for_as_many_more() -> None:
    refusal = _decide(estimate=10_000_000, orders_per_turn=100)

    assert _decide(estimate=7_700_000, orders_per_turn=100) is None
    assert refusal is not None
    assert "27.8 hours at 1/s with 100 orders each" in refusal
    assert "upload at most 7,776,000 orders now" in refusal


def test_all_open_uploads_count_for_what_they_have_not_sent() -> None:
    assert _decide(estimate=40_000, others=30_000) is None
    refusal = _decide(estimate=40_000, others=50_000)

    assert refusal is not None
    assert "90,000 orders (about 40,000 of this file)" in refusal
    assert "at most 27,760 orders now" in refusal


def test_if_nothing_fits_it_says_to_wait() -> None:
    refusal = _decide(estimate=1_000, others=80_000)

    assert refusal is not None
    assert refusal.endswith("RetentionHours=48 and upload it again, or wait until others are sent")


def test_more_than_the_longest_retention_needs_a_higher_pace() -> None:
    refusal = _decide(estimate=100_000_000)

    assert refusal is not None
    assert "raise the pace (`orders pace`) and upload it again" in refusal


@pytest.mark.parametrize("rate", [None, NO_LIMIT])
def test_without_a_known_pace_every_upload_is_admitted(rate: Rate | None) -> None:
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


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("calls", range(14))
def test_a_run_killed_anywhere_is_not_refused_once_orders_are_on_the_stream(
    calls: int, is_after: bool
) -> None:
    world = World(rate=Rate(1.0))
    request = world.store(FIFTY)
    with suppress(Killed):
        world.run(request, fuse=Fuse(calls, is_after=is_after))
    account = world.ledger.read_account(request.upload)
    was_admitted = account is not None and account.upload.admitted

    world.rate = TOO_SLOW
    world.run_until_read(request)

    upload = world.account(request).upload
    assert upload.admitted == was_admitted
    if was_admitted:
        assert upload.state is UploadState.SENDING
        assert len(consume(world.stream.records).bodies) == 50
        assert len(consume(world.stream.records).ends) == 1
    else:
        assert upload.state is UploadState.REFUSED_ADMISSION
        assert world.stream.records == []


def test_an_admitted_upload_continues_beside_later_ones() -> None:
    world = World(rate=Rate(1 / 60))
    first = world.store(b"\n".join(map(order_line, range(1_000))), "uploads/a.jsonl")
    with suppress(Killed):
        world.run(first, fuse=_at("save_progress"))
    second = world.store(b"\n".join(map(order_line, range(900))), "uploads/b.jsonl")
    world.run(second)

    world.run(first)

    assert world.account(second).upload.state is UploadState.REFUSED_ADMISSION
    assert world.account(first).upload.state is UploadState.SENDING
    assert {one.partition_key for one in world.stream.records} == {f"{first.upload}/0"}


@pytest.mark.parametrize("step", ["write_estimate", "open_accounts", "admit", "put"])
def test_of_two_runs_at_once_the_last_one_decides_for_both(step: str) -> None:
    world = World(rate=Rate(1.0))
    request = world.store(FIFTY)

    def take_over_at_a_lower_pace() -> None:
        world.rate = TOO_SLOW
        world.run(request)

    end = world.run(request, fuse=_at(step, take_over_at_a_lower_pace))

    upload = world.account(request).upload
    assert end is RunEnd.SUPERSEDED
    if step == "put":
        assert upload.state is UploadState.SENDING
        assert len(consume(world.stream.records).bodies) == 50
    else:
        assert upload.state is UploadState.REFUSED_ADMISSION
        assert world.stream.records == []


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        ("write_estimate", Rate(1.0)),
        ("write_estimate", TOO_SLOW),
        ("open_accounts", Rate(1.0)),
        ("open_accounts", TOO_SLOW),
        ("admit", Rate(1.0)),
    ],
)
def test_an_upload_cancelled_during_admission_is_neither_put_nor_refused(
    step: str, rate: Rate
) -> None:
    world = World(rate=rate)
    request = world.store(FIFTY)

    def cancel() -> None:
        world.ledger.cancel(request.upload, reason="a mistake", now=0.0)

    world.run(request, fuse=_at(step, cancel))

    upload = world.account(request).upload
    assert (upload.state, upload.reason) == (UploadState.CANCELLED, "a mistake")
    assert not upload.listed_open
    assert world.stream.records == []


def test_a_refused_upload_stays_refused_at_a_higher_pace() -> None:
    world = World(rate=TOO_SLOW)
    request = world.store(FIFTY)
    world.run(request)

    world.rate = Rate(1_000.0)
    end = world.run(request)

    assert end is RunEnd.NOTHING_TO_DO
    assert world.account(request).upload.state is UploadState.REFUSED_ADMISSION
    assert world.stream.records == []


def test_an_upload_begun_by_an_older_release_is_not_checked() -> None:
    world = World(rate=TOO_SLOW)
    request = world.store(FIFTY)
    assert request.source is not None
    world.ledger.announce(request.upload, request.source, now=0.0)
    world.ledger.start_run(request.upload, token="older", lanes=1, now=0.0)
    begun = Progress(offset=len(FIFTY.splitlines()[0]) + 1, line=1, blank=1)
    world.ledger.save_progress(request.upload, token="older", progress=begun, now=0.0)

    world.run(request)

    assert world.account(request).upload.state is UploadState.SENDING


def _at(step: str, happens: Callable[[], None] = kill) -> Fuse:
    """A fuse that burns down at the first call of a method with this name."""
    return Fuse(0, happens=happens, only=step)


def _announce(ledger: MemoryLedger, name: str, estimate: int) -> None:
    upload = UploadId(name)
    ledger.announce(upload, Source("b", "k", "v", "e", 1), now=0.0)
    ledger.start_run(upload, token="t", lanes=1, now=0.0)
    ledger.write_estimate(upload, token="t", estimate=estimate, now=0.0)


def _decide(*, estimate: int, others: int = 0, orders_per_turn: int = 1) -> str | None:
    ledger = MemoryLedger()
    _announce(ledger, "a" * 20, others)
    _announce(ledger, "b" * 20, estimate)
    refusal = decide(
        ledger.open_accounts(),
        rate=Rate(1.0),
        retention_hours=24,
        own=estimate,
        orders_per_turn=orders_per_turn,
    )
    return refusal.sentence if refusal else None
