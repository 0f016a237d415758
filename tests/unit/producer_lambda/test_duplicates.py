"""An upload of the same bytes as an earlier one is noticed before its first order is put."""

from contextlib import suppress

import pytest

from ledger.uploads.duplicate import Duplicates
from ledger.uploads.upload import UploadState
from orders.rate import Rate
from orders.upload import UploadId
from orders.upload_keys import redriving_name, repeating_name
from orders_cli.local_file import new_key
from producer_lambda.upload_run import RunEnd
from tests.support.producer_world import Fuse, Killed, World, consume, order_line

FILE = b"\n".join(map(order_line, range(50)))
FIRST, COPY = "uploads/march.jsonl", "uploads/copy.jsonl"


def test_the_same_bytes_again_are_sent_and_noted_in_the_account() -> None:
    world = World()
    first = world.store(FILE, FIRST)
    world.run(first)
    copy = world.store(FILE, COPY)

    world.run(copy)

    assert world.account(first).upload.duplicate_of is None
    assert world.account(copy).upload.duplicate_of == first.upload
    assert world.account(copy).enqueued == 50


def test_the_same_bytes_again_are_refused_where_the_setting_says_so() -> None:
    world = World(duplicates=Duplicates.REFUSE)
    first, other = world.store(FILE, FIRST), world.store(FILE + b"\n", "uploads/april.jsonl")
    world.run(first)
    world.run(other)
    records = len(world.stream.records)
    copy = world.store(FILE, COPY)

    end = world.run(copy)

    upload = world.account(copy).upload
    assert end is RunEnd.FINISHED
    assert upload.state is UploadState.REFUSED_ADMISSION
    assert f"uploaded as {FIRST} on 1970-01-01 00:16 UTC (upload {first.upload}, " in upload.reason
    assert "orders upload --again" in upload.reason
    assert not upload.listed_open
    assert len(world.stream.records) == records
    assert world.account(other).upload.state is UploadState.SENDING


def test_an_event_that_comes_again_is_no_second_upload() -> None:
    world = World(duplicates=Duplicates.REFUSE)
    request = world.store(FILE)

    ends = [world.run(request), world.run(request)]

    assert ends == [RunEnd.FINISHED, RunEnd.NOTHING_TO_DO]
    assert world.account(request).upload.state is UploadState.SENDING


@pytest.mark.parametrize(
    "name", [repeating_name("march.jsonl"), redriving_name(UploadId("a" * 20))]
)
def test_what_is_sent_again_on_purpose_is_not_refused(name: str) -> None:
    world = World(duplicates=Duplicates.REFUSE)
    world.run(world.store(FILE, FIRST))
    again = world.store(FILE, new_key("uploads/", name))

    world.run(again)

    upload = world.account(again).upload
    assert (upload.state, upload.duplicate_of) == (UploadState.SENDING, None)


def test_nothing_is_noted_where_duplicates_are_allowed() -> None:
    world = World(duplicates=Duplicates.ALLOW)
    world.run(world.store(FILE, FIRST))
    copy = world.store(FILE, COPY)

    world.run(copy)

    assert world.account(copy).upload.duplicate_of is None


def test_a_file_whose_first_upload_was_not_let_in_is_welcome_again() -> None:
    world = World(duplicates=Duplicates.REFUSE, rate=Rate(1 / 3600))
    first = world.store(FILE, FIRST)
    world.run(first)
    refused = world.account(first).upload.state
    world.rate = None
    copy = world.store(FILE, COPY)

    world.run(copy)

    assert refused is UploadState.REFUSED_ADMISSION
    assert world.account(copy).upload.state is UploadState.SENDING


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("calls", range(14))
def test_a_run_killed_anywhere_is_no_duplicate_of_itself_and_its_copy_is(
    calls: int, is_after: bool
) -> None:
    world = World(duplicates=Duplicates.REFUSE)
    first, copy = world.store(FILE, FIRST), world.store(FILE, COPY)
    with suppress(Killed):
        world.run(first, fuse=Fuse(calls, is_after=is_after))

    world.run_until_read(first)
    with suppress(Killed):
        world.run(copy, fuse=Fuse(calls, is_after=is_after))
    world.run_until_read(copy)

    assert world.account(first).upload.state is UploadState.SENDING
    assert world.account(copy).upload.state is UploadState.REFUSED_ADMISSION
    assert len(consume(world.stream.records).bodies) == 50
