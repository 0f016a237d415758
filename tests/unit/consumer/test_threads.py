"""A thread that ends by surprise is heard of."""

from threading import Event

import pytest

from consumer.threads import start_thread

LIMIT_SECONDS = 10.0


@pytest.mark.parametrize("error", [OSError(28, "No space left"), MemoryError(), SystemExit(0)])
def test_whatever_a_thread_raises_is_told(error: BaseException) -> None:
    told: list[BaseException] = []

    def fails() -> None:
        raise error

    start_thread("fails", fails, fail=told.append).join(LIMIT_SECONDS)

    assert told == [error]


def test_a_thread_that_returns_has_ended_as_planned() -> None:
    told: list[BaseException] = []
    has_run = Event()

    thread = start_thread("returns", has_run.set, fail=told.append)
    thread.join(LIMIT_SECONDS)

    assert has_run.is_set()
    assert not told
    assert thread.daemon
    assert thread.name == "returns"
