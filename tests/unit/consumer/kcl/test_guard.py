"""Does the guard see what ends the process, whatever fails meanwhile?"""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, cast

import pytest

from consumer.delivery.starts import Starts
from consumer.kcl import guard as guards
from consumer.kcl.guard import Guard
from consumer.sending.sender_threads import ProcessHooks
from tests.support.eventually import LIMIT_SECONDS, eventually
from tests.support.shard_at_work import ShardAtWork

Manage = Callable[[ShardAtWork], ShardAtWork]
pytestmark = pytest.mark.usefixtures("short_rests")


class Watched:
    """A guard at work, and how it ended."""

    def __init__(self, work: ShardAtWork, folder: Path) -> None:
        self.left = threading.Event()
        self.failures: list[BaseException] = []
        self.folder = folder
        hooks = ProcessHooks(
            clock=work.clock,
            starts=Starts("here"),
            observe=work.events.append,
            is_orphan=lambda: work.is_orphan,
            fail=self.fail,
        )
        self.guard = Guard(
            work.shard,
            folder,
            hooks,
            stop_seconds=2.0,
            leave=self.leave,
            limits_told=lambda: "60 a minute",
        )

    def leave(self, code: int) -> NoReturn:
        """What os._exit does: nothing of this thread happens any more."""
        assert code == 0
        self.left.set()
        raise SystemExit

    def fail(self, error: BaseException) -> None:
        """Note it."""
        self.failures.append(error)

    def told(self) -> dict[str, object]:
        """What the process says of itself; empty where it says nothing."""
        files = list(self.folder.glob("shard-*.json"))
        return cast("dict[str, object]", json.loads(files[0].read_text())) if files else {}


@pytest.fixture
def watched(
    managed: Manage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ShardAtWork, Watched]]:
    monkeypatch.setattr(guards, "GUARD_SECONDS", 0.01)
    kept = signal.getsignal(signal.SIGTERM)
    work = managed(ShardAtWork())
    work.begin()
    guarded = Watched(work, tmp_path)
    guarded.guard.start()
    yield work, guarded
    signal.signal(signal.SIGTERM, kept)
    work.is_orphan = True
    assert guarded.left.wait(LIMIT_SECONDS)


class FullDisk:
    """In place of Path.write_text: it counts how often it was tried."""

    tries = 0

    def __call__(self, *_: object, **__: object) -> int:
        self.tries += 1
        raise OSError(28, "No space left on device")


def test_a_full_disk_ends_nothing_and_is_logged_once(
    watched: tuple[ShardAtWork, Watched],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, guarded = watched
    eventually(lambda: bool(guarded.told()))
    before = guarded.told()["alive_at"]

    with monkeypatch.context() as patch:
        full = FullDisk()
        patch.setattr(Path, "write_text", full)
        eventually(lambda: full.tries > 3)
    guarded.guard.shard.feed([], lambda _: True)

    eventually(lambda: guarded.told().get("alive_at") != before)
    assert not guarded.left.is_set()
    said = [
        record.getMessage() for record in caplog.records if "cannot be written" in record.message
    ]
    assert len(said) == 1
    assert "No space left on device" in said[0]


def test_its_file_says_what_the_api_told_about_its_limits(
    watched: tuple[ShardAtWork, Watched],
) -> None:
    _, guarded = watched

    eventually(lambda: guarded.told().get("api_limits") == "60 a minute")


@pytest.mark.parametrize("end", ["signal", "orphan", "superseded"])
def test_the_process_still_ends_when_it_should_while_the_disk_is_full(
    watched: tuple[ShardAtWork, Watched], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    work, guarded = watched
    full = FullDisk()
    monkeypatch.setattr(Path, "write_text", full)
    eventually(lambda: full.tries > 1)

    match end:
        case "signal":
            signal.raise_signal(signal.SIGTERM)
        case "orphan":
            work.is_orphan = True
        case _:
            work.take_over()

    assert guarded.left.wait(LIMIT_SECONDS)


def test_a_guard_that_fails_by_surprise_ends_the_process(
    watched: tuple[ShardAtWork, Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, guarded = watched

    with monkeypatch.context() as patch:

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        patch.setattr(Guard, "_report", broken)
        eventually(lambda: bool(guarded.failures))

    assert isinstance(guarded.failures[0], ZeroDivisionError)
    guarded.left.set()
