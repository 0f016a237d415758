"""Ending a process of the consumer, whatever state it is in.

A failure of one part ends the whole process, and whoever started it starts it again. On the way
nothing may raise or block: the log may be a pipe that is no longer read, the disk full, memory
short.
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
"""How long the log may take before the process goes on without it."""


def die(error: BaseException) -> NoReturn:
    """Log the error and end at once."""
    try:
        last_words(lambda: sys.stderr.write("".join(traceback.format_exception(error))))
    finally:
        leave(FAILED)


def leave(code: int) -> NoReturn:
    """End without waiting for threads: a hanging attempt must not keep the process."""
    try:
        last_words(lambda: sys.stderr.flush())  # noqa: PLW0108 - stderr itself may be None
    finally:
        os._exit(code)


def last_words(say: Callable[[], object]) -> None:
    """Log something, if that is possible within LAST_WORDS_SECONDS; never raises."""
    with suppress(Exception):  # no thread can be started where memory is short
        start_thread("last words", say, fail=lambda _: None).join(LAST_WORDS_SECONDS)
