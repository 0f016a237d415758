"""Wait for a result, with a limit."""

import inspect
import time
from collections.abc import Callable
from typing import TypeVar

LIMIT_SECONDS = 20.0
"""A time-out for what takes milliseconds; a test that reaches it has failed."""
FIRST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.05

Found = TypeVar("Found")


def eventually(
    look: Callable[[], Found | None], what: str = "", *, seconds: float = LIMIT_SECONDS
) -> Found:
    """Poll until `look` returns something truthy, and return that.

    Raises:
        AssertionError: It did not within the limit; the message names what was awaited.

    """
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE_SECONDS
    while not (found := look()):
        if time.monotonic() >= deadline:
            awaited = what or inspect.getsource(look).strip()
            raise AssertionError(f"not within {seconds:g} s: {awaited}; last seen: {found!r}")
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_PAUSE_SECONDS)
    return found
