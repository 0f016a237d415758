"""How does a process of the consumer end, whatever state it is in?

A part that failed takes its whole process with it, and whoever started the process starts it again.
On the way there nothing may raise or wait: the log may be a pipe that nobody reads any more, the
disk may be full, memory may be short.
"""

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from consumer.threads import start_thread

FAILED = 1
LAST_WORDS_SECONDS = 2.0
"""How long the log may take before the process goes on, or ends, without it."""


def die(error: BaseException) -> NoReturn:
    """End at once because of this error, which the log shows."""
    try:
        last_words(lambda: sys.stderr.write("".join(traceback.format_exception(error))))
    finally:
        leave(FAILED)


def leave(code: int) -> NoReturn:
    """End without waiting for threads: an attempt that hangs must not keep the process."""
    try:
        last_words(lambda: sys.stderr.flush())  # noqa: PLW0108 - stderr itself may be None
    finally:
        os._exit(code)


def last_words(say: Callable[[], object]) -> None:
    """Say something, if that can be done within LAST_WORDS_SECONDS; never raises."""
    with suppress(Exception):  # no thread can be started where memory is short
        start_thread("last words", say, fail=_unheard).join(LAST_WORDS_SECONDS)


def _unheard(error: BaseException) -> None:
    """Nobody listens any more: there is nowhere to tell of this."""
