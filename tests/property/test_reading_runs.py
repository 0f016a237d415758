"""Killed anywhere and failed anyhow, the stream tells a consumer each order once and in order."""

import json
from contextlib import suppress
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.uploads.upload import UploadState
from orders.id_hashes import id_hashes
from orders.id_parts import parts_up_to
from producer_lambda import enqueuing
from producer_lambda.upload_requests import UploadRequest
from producer_lambda.upload_run import NoProgress, RunEnd
from tests.support.examples import examples
from tests.support.producer_world import (
    FaultyStream,
    Fuse,
    HeldClock,
    Killed,
    World,
    consume,
    order_line,
)

LINES = st.lists(
    st.sampled_from(["order", "order", "order", "invalid", "blank", "long"]), max_size=60
)
FAULTS = st.lists(
    st.sampled_from(["none", "none", "lost", "throttled", "unknown", "late", "split"]), max_size=20
)
KILLS = st.lists(st.tuples(st.integers(0, 25), st.booleans()), max_size=5)
PART_IDS = st.sampled_from([1, 2, 5, 1_000])
FUSES = st.one_of(
    st.tuples(st.just(""), st.integers(0, 40), st.booleans()),
    st.tuples(st.sampled_from(["put_id_part", "save_progress"]), st.integers(0, 3), st.booleans()),
)
MANY = settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(
    kinds=LINES,
    faults=FAULTS,
    kills=KILLS,
    lanes=st.integers(1, 4),
    sizes=st.tuples(st.sampled_from([200, 1_000, 5_000]), st.sampled_from([50, 400, 3_000])),
)
def test_kills_and_failed_puts_neither_lose_nor_reorder(
    kinds: list[str],
    faults: list[str],
    kills: list[tuple[int, bool]],
    lanes: int,
    sizes: tuple[int, int],
) -> None:
    content, valid = _file(kinds)
    aggregate_bytes, chunk_bytes = sizes
    world = World(
        lanes=lanes, aggregate_bytes=aggregate_bytes, stream=FaultyStream(faults=list(faults))
    )
    world.bucket.chunk_bytes = chunk_bytes
    request = world.store(content)

    for calls, is_after in kills:
        with suppress(Killed):
            world.run(request, fuse=Fuse(calls, is_after=is_after))
    world.run_until_read(request)

    seen = consume(world.stream.records)
    assert seen.bodies == valid
    account = world.account(request)
    assert account.upload.progress.enqueued == len(valid)
    assert account.upload.progress.invalid == kinds.count("invalid") + kinds.count("long")
    assert account.upload.progress.blank == kinds.count("blank")
    assert set(world.reported(request)) == {
        number for number, kind in enumerate(kinds, 1) if kind in ("invalid", "long")
    }
    if valid:
        assert account.upload.state is UploadState.SENDING
        assert len(seen.ends) == lanes


@MANY
@given(kinds=LINES, lanes=st.integers(1, 3), kills=KILLS)
def test_each_kill_repeats_at_most_one_record_of_a_lane(
    kinds: list[str], lanes: int, kills: list[tuple[int, bool]]
) -> None:
    content, _ = _file(kinds)
    world = World(lanes=lanes, aggregate_bytes=300)
    request = world.store(content)

    deaths = 0
    for calls, is_after in kills:
        try:
            world.run(request, fuse=Fuse(calls, is_after=is_after))
        except Killed:
            deaths += 1
    world.run_until_read(request)

    most_orders = max((record.orders for record in world.stream.records), default=0)
    assert consume(world.stream.records).repeats <= deaths * lanes * most_orders


@MANY
@given(kinds=LINES, lanes=st.integers(1, 3), steps=st.lists(st.integers(1, 20), max_size=8))
def test_two_runs_at_once_end_as_one(kinds: list[str], lanes: int, steps: list[int]) -> None:
    content, valid = _file(kinds)
    world = World(lanes=lanes, aggregate_bytes=300)
    request = world.store(content)

    _run_inside_each_other(world, request, steps)
    world.run_until_read(request)

    seen = consume(world.stream.records)
    assert seen.bodies == valid
    assert world.account(request).upload.progress.enqueued == len(valid)


@MANY
@given(kinds=LINES, lanes=st.integers(1, 3), seconds=st.integers(1, 10))
def test_hand_overs_deliver_the_whole_file(kinds: list[str], lanes: int, seconds: int) -> None:
    content, valid = _file(kinds)
    world = World(lanes=lanes, aggregate_bytes=300, clock=HeldClock(tick_seconds=0.3))
    request = world.store(content)

    try:
        world.run_until_read(request, seconds=seconds)
    except NoProgress:  # so little time that one run gets nowhere: the message comes back
        world.run_until_read(request)

    seen = consume(world.stream.records)
    assert seen.bodies == valid
    assert set(world.reported(request)) == {
        number for number, kind in enumerate(kinds, 1) if kind in ("invalid", "long")
    }


@MANY
@given(
    kinds=LINES,
    kills=st.lists(st.tuples(FUSES, PART_IDS), max_size=5),
    lanes=st.integers(1, 3),
    last_part_ids=PART_IDS,
    seconds=st.one_of(st.none(), st.integers(3, 10)),
)
def test_killed_anywhere_the_kept_ids_are_complete_and_nothing_repeats_itself(
    kinds: list[str],
    kills: list[tuple[tuple[str, int, bool], int]],
    lanes: int,
    last_part_ids: int,
    seconds: int | None,
) -> None:
    content, valid = _file(kinds)
    ids = [json.loads(body)["order_id"] for body in valid.values()]
    world = World(lanes=lanes, aggregate_bytes=300, clock=HeldClock(0.3 if seconds else 0.0))
    world.bucket.chunk_bytes = 400
    request = world.store(content)

    # Every run may cut its parts elsewhere, so those of a killed one overlap others.
    for (only, calls, is_after), part_ids in kills:
        fuse = Fuse(calls, is_after=is_after, only=only)
        with patch.object(enqueuing, "PART_IDS", part_ids), suppress(Killed, NoProgress):
            world.run(request, seconds=seconds or 1e9, fuse=fuse)
    with patch.object(enqueuing, "PART_IDS", last_part_ids):
        with suppress(NoProgress):
            world.run_until_read(request, seconds=seconds or 1e9)
        world.run_until_read(request)

    parts = parts_up_to(world.account(request).upload.progress.offset, world.id_parts.contents)
    kept = [hashed for part in world.id_parts.read_id_parts(parts) for hashed in part]
    assert sorted(kept) == sorted(id_hashes(ids))
    found = world.account(request).upload.id_repeats
    assert (found.in_file, found.sent_before) == (len(ids) - len(set(ids)), 0)


@MANY
@given(kinds=LINES, lanes=st.integers(1, 3), steps=st.lists(st.integers(1, 20), max_size=8))
def test_two_runs_at_once_keep_each_id_once(kinds: list[str], lanes: int, steps: list[int]) -> None:
    content, valid = _file(kinds)
    ids = [json.loads(body)["order_id"] for body in valid.values()]
    world = World(lanes=lanes, aggregate_bytes=300)
    world.bucket.chunk_bytes = 200
    request = world.store(content)

    with patch.object(enqueuing, "PART_IDS", 3):
        _run_inside_each_other(world, request, steps)
        world.run_until_read(request)

    found = world.account(request).upload.id_repeats
    assert (found.in_file, found.sent_before) == (len(ids) - len(set(ids)), 0)


def _run_inside_each_other(world: World, request: UploadRequest, steps: list[int]) -> None:
    """A run that is stopped after some calls while another one goes on, then wakes up again."""
    if not steps:
        return

    fuse = Fuse(steps[0], happens=lambda: _run_inside_each_other(world, request, steps[1:]))
    end = world.run(request, fuse=fuse)
    assert end in (RunEnd.FINISHED, RunEnd.SUPERSEDED, RunEnd.NOTHING_TO_DO)


def _file(kinds: list[str]) -> tuple[bytes, dict[int, bytes]]:
    """A file with such lines, and the bodies of its orders by line."""
    lines = {number: _line(kind, number) for number, kind in enumerate(kinds, 1)}
    orders = {number: line for number, line in lines.items() if kinds[number - 1] == "order"}
    return b"".join(line + b"\n" for line in lines.values()), orders


def _line(kind: str, number: int) -> bytes:
    match kind:
        case "order":
            return order_line(number % 7, note=number)
        case "blank":
            return b" \t" * (number % 3)
        case "long":
            return order_line(number, pad="x" * 1_000)
        case _:
            return b"{no order %d" % number
