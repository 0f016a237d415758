"""Order ids that repeat in their file, or that another upload has, are counted in the account."""

from ledger.uploads.duplicate import Duplicates
from ledger.uploads.id_repeats import NO_REPEATS, SENT_BY_MAX, IdRepeats
from ledger.uploads.upload import UploadState
from orders.outcome import Outcome
from orders.rate import Rate
from orders.upload_keys import correcting_name, redriving_name, repeating_name
from orders_cli.local_file import new_key
from producer_lambda.upload_run import RunEnd
from tests.support.producer_world import HeldClock, World, order_line
from tests.support.stores import orders, told


def file_of(*ids: int) -> bytes:
    """Orders with these ids; the bytes differ from any other file's."""
    return b"\n".join(order_line(number, note=f"{ids}") for number in ids)


def test_ids_that_repeat_in_a_file_are_counted() -> None:
    world = World()
    request = world.store(file_of(1, 2, 1, 3, 1, 2))

    world.run(request)

    account = world.account(request)
    assert account.upload.id_repeats == IdRepeats(in_file=3)
    assert (account.enqueued, account.lines_read) == (6, 6)


def test_ids_that_an_earlier_upload_has_are_counted_with_its_name() -> None:
    world = World()
    first, second = world.store(file_of(1, 2, 3), "uploads/a.jsonl"), world.store(file_of(3, 2, 9))
    world.run(first)

    world.run(second)

    assert world.account(first).upload.id_repeats == NO_REPEATS
    repeats = world.account(second).upload.id_repeats
    assert repeats == IdRepeats(sent_before=2, sent_by=(first.upload,))


def test_the_newest_uploads_are_named_and_each_id_is_counted_once() -> None:
    world = World()
    before = [world.store(file_of(1, 2, n), f"uploads/{n}.jsonl") for n in range(10, 20)]
    for one in before:
        world.run(one)
    last = world.store(file_of(1, 2, 3))

    world.run(last)

    repeats = world.account(last).upload.id_repeats
    assert repeats.sent_before == 2
    assert repeats.sent_by == tuple(one.upload for one in reversed(before))[:SENT_BY_MAX]


def test_an_upload_of_which_nothing_was_sent_does_not_count() -> None:
    world = World()
    cancelled = world.store(file_of(1, 2), "uploads/cancelled.jsonl")
    world.run(cancelled)
    world.ledger.cancel(cancelled.upload, reason="a mistake", now=1.0)
    [lane] = world.account(cancelled).lanes
    world.ledger.settle(lane, told(orders(1, 2, Outcome.CANCELLED), ended=True))
    world.ledger.close_if_drained(cancelled.upload, now=2.0)
    second = world.store(file_of(1, 2, 3))

    world.run(second)

    assert world.account(cancelled).tally.cancelled == 2
    assert world.account(second).upload.id_repeats == NO_REPEATS


def test_ids_are_kept_in_few_parts_however_many_records_there_are() -> None:
    world = World(aggregate_bytes=300)
    request = world.store(file_of(*range(50)))

    world.run(request)

    assert len(world.stream.records) > 10
    [part] = world.id_parts.contents
    assert (part.start, part.end) == (0, len(world.bucket.objects["uploads/orders.jsonl"]))


def test_a_refused_upload_leaves_no_ids() -> None:
    world = World(rate=Rate(1 / 3600))
    refused = world.store(file_of(*range(50)))

    world.run(refused)

    assert world.account(refused).upload.state is UploadState.REFUSED_ADMISSION
    assert world.id_parts.contents == {}


def test_what_is_sent_again_on_purpose_or_corrected_repeats_nothing() -> None:
    world = World(duplicates=Duplicates.REFUSE)
    first = world.store(file_of(1, 2, 3), "uploads/first.jsonl")
    world.run(first)
    names = [
        redriving_name(first.upload),
        repeating_name("first.jsonl"),
        correcting_name(first.upload, "first.jsonl"),
    ]
    again = [
        world.store(file_of(1, 2, number), new_key("uploads/", name))
        for number, name in enumerate(names)
    ]

    for one in again:
        world.run(one)

    assert [world.account(one).upload.id_repeats for one in again[:2]] == [NO_REPEATS] * 2
    # The corrected file repeats the upload that was sent again, not the one that it corrects.
    assert world.account(again[2]).upload.id_repeats.sent_by == (again[1].upload,)


def test_nothing_is_kept_or_looked_for_where_duplicates_are_allowed() -> None:
    world = World()
    first = world.store(file_of(1, 2), "uploads/first.jsonl")
    world.run(first)
    kept = dict(world.id_parts.contents)
    world.duplicates = Duplicates.ALLOW
    second = world.store(file_of(1, 1, 2))

    world.run(second)

    assert world.account(second).upload.id_repeats == NO_REPEATS
    assert world.id_parts.contents == kept


def test_a_run_without_time_to_compare_leaves_that_to_the_next() -> None:
    world = World()
    for number in range(20):
        world.run(world.store(file_of(1, 100 + number), f"uploads/{number}.jsonl"))
    request = world.store(file_of(1, 2, 2))
    world.clock = HeldClock(tick_seconds=1.0)

    first = world.run(request, seconds=15.0)
    runs = world.run_until_read(request)

    assert first is RunEnd.HANDED_ON
    assert runs == 1
    repeats = world.account(request).upload.id_repeats
    assert (repeats.in_file, repeats.sent_before, repeats.is_partial) == (1, 1, False)


def test_what_a_whole_run_cannot_compare_is_said_and_keeps_nothing_from_being_sent() -> None:
    world = World()
    for number in range(60):
        world.run(world.store(file_of(1, 100 + number), f"uploads/{number}.jsonl"))
    request = world.store(file_of(1, 2, 2))
    world.clock = HeldClock(tick_seconds=1.0)

    runs = world.run_until_read(request, seconds=15.0)

    assert runs == 2
    account = world.account(request)
    assert account.upload.id_repeats.is_partial
    assert account.upload.state is UploadState.SENDING
