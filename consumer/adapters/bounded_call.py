"""A deadline for calls that cannot be interrupted."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from consumer.ending import die
from consumer.threads import start_thread

T = TypeVar("T")


class TookTooLong(Exception):
    """The call did not end in time; a late result is disposed of."""


def within(seconds: float, call: Callable[[], T], *, dispose: Callable[[T], None]) -> T:
    """The result of `call`, made on a thread of its own and awaited for `seconds`.

    Name look-ups have no time-out at all, and that of TLS is per read; so waiting for another
    thread is the only bound that holds. Raises what `call` raised, or TookTooLong; then `dispose`
    gets the result if there is one later.
    """
    future = begun(call)

    def late(ended: Future[T]) -> None:
        if ended.exception() is None:
            dispose(ended.result())

    try:
        return future.result(timeout=max(0.0, seconds))
    except TimeoutError as error:
        if future.done() and future.exception() is error:
            raise
        future.add_done_callback(late)
        raise TookTooLong(f"Not done within {seconds:g} s.") from error


def begun(call: Callable[[], T]) -> Future[T]:
    """What `call` will give, or raise, on a thread of its own."""
    future: Future[T] = Future()

    def errand() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is awaited
            future.set_exception(error)

    start_thread("within-deadline", errand, fail=die)
    return future
