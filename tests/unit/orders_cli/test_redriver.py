"""Each refused order is sent again once, whoever else redrives and whoever is killed."""

import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import IO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.memory.ledger import MemoryLedger
from ledger.uploads.dead_letter import DeadLetter, position_of_line
from ledger.uploads.upload import Source
from orders.file_reading import ReadingLimits
from orders.formats import SourceUnreadable
from orders.plain_text import OpenAt
from orders.upload import UploadId
from orders_cli.bucket import Stored, UploadBucket
from orders_cli.failures import CommandFailed
from orders_cli.redriver import RedriveLedger, Redriver
from tests.unit.orders_cli.step_by_step import Person, StepByStep, stand_still

UPLOAD = UploadId("a" * 20)
SOURCE = "uploads/a.jsonl"
LINES = (1, 2, 3)


def order(line: int) -> bytes:
    return (
        b'{"order_id":"A-%d","customer_id":"c","sku":"s","quantity":1,"unit_price":1,'
        b'"currency":"EUR"}' % line
    )


@dataclass(slots=True)
class Bucket:
    """A bucket in memory with versions; a file under a key is never replaced."""

    objects: dict[str, tuple[Source, bytes]] = field(default_factory=dict)

    def put_once(self, key: str, body: bytes | IO[bytes]) -> bool:
        if key in self.objects:
            return False
        content = body if isinstance(body, bytes) else body.read()
        source = Source("bucket", key, f"v{len(self.objects)}", "e", len(content))
        self.objects[key] = source, content
        return True

    def find(self, key: str) -> Stored | None:
        found = self.objects.get(key)
        return Stored(found[0]) if found else None

    def opener(self, source: Source) -> OpenAt:
        content = self.objects[source.key][1]
        return lambda offset: iter([content[offset:]])


class PagedLetters(StepByStep):
    """The ledger, which lists letters one at a time, as pages of DynamoDB come."""

    def dead_letters(self, upload: UploadId, *, limit: int) -> Iterator[DeadLetter]:
        last = ""
        for _ in range(limit):
            stand_still()
            found: Iterable[DeadLetter] = self._ledger.dead_letters(upload, limit=limit)
            letter = next((one for one in found if one.position > last), None)
            if letter is None:
                return
            last = letter.position
            yield letter

    @property
    def _ledger(self) -> MemoryLedger:
        return cast("MemoryLedger", self._thing)


@dataclass(slots=True)
class Office:
    """A ledger with refused orders, a bucket, and people who redrive them."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    bucket: Bucket = field(default_factory=Bucket)
    keys: int = 0

    def __post_init__(self) -> None:
        source = Source("bucket", SOURCE, "v", "e", 1)
        self.ledger.announce(UPLOAD, source, now=0.0)
        for line in LINES:
            self.refuse(line, order(line))

    def refuse(self, line: int, body: bytes | None) -> None:
        letter = DeadLetter(
            UPLOAD, position_of_line(line), 0, line, f"A-{line}", body, 422, "no", "", 1, 1.0, 2.0
        )
        self.ledger.put_dead_letter(letter)

    def fresh_key(self) -> str:
        self.keys += 1
        return f"uploads/redrive-{self.keys}.jsonl"

    def person(self) -> Person:
        """Somebody who types `orders dead-letters redrive`."""
        ledger = cast("RedriveLedger", PagedLetters(self.ledger))
        storage = cast("UploadBucket", StepByStep(self.bucket))
        redriver = Redriver(ledger, storage, ReadingLimits())
        return Person(lambda: list(redriver.redrive_all(UPLOAD, new_key=self.fresh_key, now=3.0)))

    def run_again(self) -> list[tuple[int, str]]:
        """Somebody types it again, undisturbed; returns what was lost, and why."""
        lost: dict[int, str] = {}

        def on_lost(letter: DeadLetter, why: str) -> None:
            lost[letter.line] = why

        redriver = Redriver(
            self.ledger, cast("UploadBucket", self.bucket), ReadingLimits(), on_lost
        )
        list(redriver.redrive_all(UPLOAD, new_key=self.fresh_key, now=4.0))
        return list(lost.items())

    def sent_again(self) -> list[bytes]:
        """The orders of all files of redrives."""
        files = [body for source, body in self.bucket.objects.values() if source.key != SOURCE]
        return [line for content in files for line in content.splitlines()]

    def check(self, lines: Iterable[int] = LINES) -> None:
        """Each order is in one file, once, and its letter names the upload that the file is."""
        assert sorted(self.sent_again()) == sorted(order(line) for line in lines)
        for letter in self.ledger.dead_letters(UPLOAD, limit=100):
            source, _content = next(
                found for found in self.bucket.objects.values() if order(letter.line) in found[1]
            )
            assert letter.redriven_as == Stored(source).upload
        assert self.ledger.redrivable_uploads() == set()


def steps_of_one_redrive() -> int:
    office = Office()
    person = office.person()
    steps = 0
    while not person.is_done:
        person.step()
        steps += 1
    person.finish()
    office.check()
    return steps


STEPS = steps_of_one_redrive()


@pytest.mark.parametrize("first_steps", range(STEPS + 1))
def test_two_who_redrive_at_once_send_each_order_once(first_steps: int) -> None:
    for second_steps, first_again in product(range(first_steps % 2, STEPS + 1, 2), (STEPS, 4)):
        office = Office()
        first, second = office.person(), office.person()
        for person, steps in ((first, first_steps), (second, second_steps), (first, first_again)):
            for _ in range(steps):
                person.step()
        second.finish()
        first.finish()

        office.check()


@pytest.mark.parametrize("first_steps", range(STEPS + 1))
def test_an_order_refused_while_two_redrive_is_sent_again_once(first_steps: int) -> None:
    for second_steps, is_before_second in product(range(0, STEPS + 4, 2), (True, False)):
        office = Office()
        first, second = office.person(), office.person()
        for _ in range(first_steps):
            first.step()
        if is_before_second:
            office.refuse(4, order(4))
        for _ in range(second_steps):
            second.step()
        if not is_before_second:
            office.refuse(4, order(4))
        first.finish()
        second.finish()

        office.run_again()

        office.check((*LINES, 4))


@pytest.mark.parametrize("steps", range(STEPS + 1))
def test_a_redrive_that_is_killed_anywhere_is_ended_by_the_next(steps: int) -> None:
    office = Office()
    person = office.person()
    for _ in range(steps):
        person.step()
    person.crash()
    office.refuse(4, order(4))

    office.run_again()

    office.check((*LINES, 4))


@given(
    order_of_steps=st.lists(st.sampled_from([0, 1, 2]), max_size=4 * STEPS),
    crashes=st.lists(st.booleans(), min_size=3, max_size=3),
    refused_at=st.lists(st.integers(0, 4 * STEPS), max_size=3, unique=True),
)
def test_nothing_is_lost_and_nothing_twice_however_people_and_crashes_fall_together(
    order_of_steps: list[int], crashes: list[bool], refused_at: list[int]
) -> None:
    office = Office()
    people = [office.person() for _ in range(3)]
    refused = list(LINES)
    for index, number in enumerate(order_of_steps):
        if index in refused_at:
            refused.append(len(refused) + 1)
            office.refuse(refused[-1], order(refused[-1]))
        people[number].step()
    for person, crashed in zip(people, crashes, strict=True):
        if crashed:
            person.crash()
        else:
            person.finish()

    office.run_again()

    office.check(refused)


def test_a_body_too_large_for_the_ledger_is_read_from_the_file_in_its_place() -> None:
    office = Office()
    content = b"".join(order(line) + b"\n" for line in range(1, 9))
    office.bucket.put_once(SOURCE, content)
    office.refuse(5, None)
    office.refuse(6, order(6))
    office.refuse(7, None)

    office.run_again()

    (redriven,) = [key for key in office.bucket.objects if key != SOURCE]
    body = office.bucket.objects[redriven][1]
    assert body == b"".join(order(line) + b"\n" for line in (1, 2, 3, 5, 6, 7))


def test_an_order_whose_file_is_shorter_now_is_named_and_the_others_are_sent_again() -> None:
    office = Office()
    office.bucket.put_once(SOURCE, order(1) + b"\n")
    office.refuse(5, None)
    office.refuse(6, order(6))

    lost = office.run_again()

    assert lost == [(5, "its file has no such order")]
    assert sorted(office.sent_again()) == [order(line) for line in (*LINES, 6)]
    (left,) = [one for one in office.ledger.dead_letters(UPLOAD, limit=9) if not one.redriven_as]
    assert (left.line, left.redrive_key) == (5, None)


def test_an_order_whose_file_is_gone_never_blocks_those_that_come_after() -> None:
    office = Office(bucket=Emptied())
    office.refuse(4, None)
    first = office.run_again()
    office.refuse(5, order(5))

    second = office.run_again()

    assert first == second == [(4, f"its file cannot be read: {SOURCE} is gone")]
    assert sorted(office.sent_again()) == [order(line) for line in (*LINES, 5)]
    assert office.run_again() == first


def test_a_line_that_is_no_order_any_more_does_not_hide_the_one_behind_it() -> None:
    office = Office()
    office.bucket.put_once(SOURCE, b"\n" * 4 + b"broken\n" + order(6) + b"\n")
    office.refuse(5, None)
    office.refuse(6, None)

    assert [line for line, _ in office.run_again()] == [5]
    assert sorted(office.sent_again()) == [order(line) for line in (*LINES, 6)]


def test_an_order_whose_file_goes_after_its_redrive_was_sealed_is_named() -> None:
    office = Office()
    office.refuse(5, None)
    redrive = office.ledger.begin_redrive(UPLOAD, key="uploads/first.jsonl", now=1.0)
    office.ledger.claim_letters(redrive, list(office.ledger.dead_letters(UPLOAD, limit=9)))
    office.ledger.seal_redrive(redrive)
    office.bucket = Emptied()

    with pytest.raises(CommandFailed, match=r"Line 5 of .* since its redrive began"):
        office.run_again()

    assert office.sent_again() == []


class Emptied(Bucket):
    """A bucket whose lifecycle removed what was uploaded."""

    def opener(self, source: Source) -> OpenAt:
        def open_at(_: int) -> Iterable[bytes]:
            raise SourceUnreadable(f"{source.key} is gone", line=1)

        return open_at


def test_many_letters_take_no_more_memory_than_few() -> None:
    def peak_bytes(count: int) -> int:
        redriver = Redriver(
            cast("RedriveLedger", Endless(count)),
            cast("UploadBucket", Bottomless()),
            ReadingLimits(),
        )
        tracemalloc.start()
        try:
            redriven = redriver.redrive(UPLOAD, key="uploads/again.jsonl", now=3.0)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert redriven is not None
        assert redriven.orders == count
        return peak

    few = peak_bytes(2_000)

    assert peak_bytes(20_000) < 1.5 * few


class Endless(MemoryLedger):
    """A ledger that makes letters up while they are read, all of them claimed by now."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def dead_letters(
        self, upload: UploadId | None = None, *, limit: int, with_closed: bool = False
    ) -> Iterator[DeadLetter]:
        assert not with_closed
        for line in range(1, min(self._count, limit) + 1):
            yield DeadLetter(
                *(upload or UPLOAD, position_of_line(line), 0, line, "A", b"x" * 300, 422),
                *("no", "", 1, 1.0, 2.0, None, "uploads/again.jsonl"),
            )

    def link(self, upload: UploadId, linked: UploadId) -> None:
        """Neither upload needs a row."""


class Bottomless(Bucket):
    """A bucket that keeps no bytes."""

    def put_once(self, key: str, body: bytes | IO[bytes]) -> bool:
        assert body
        return super().put_once(key, b"")
