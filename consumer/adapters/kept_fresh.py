"""Keeping a value fresh that expires: it is fetched ahead of its expiry, in the background."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition
from typing import Generic, TypeVar

from consumer.adapters.credentials import READ_AGAIN_SECONDS, CredentialUnreadable
from consumer.ending import die
from consumer.threads import start_thread

FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 30.0

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T_co]):
    """A value, when to fetch the next one, and how long it is valid, counted from the fetch."""

    value: T_co
    renew_seconds: float
    valid_seconds: float


class KeptFresh(Generic[T]):
    """A value that one thread fetches ahead of its expiry, so that who needs it never waits.

    Only the first one is waited for. While a fetch fails, the old value is used for as long as it
    is valid, and the fetch is repeated after 1, 2, 4 and at most 30 seconds.
    """

    def __init__(
        self,
        fetch: Callable[[], Fetched[T]],
        *,
        source: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fetch` may block, and raises CredentialUnreadable; `source` begins error messages."""
        self._fetch = fetch
        self._source = source
        self._clock = clock
        self._change = Condition()
        self._value: T | None = None
        self._valid_until = 0.0
        self._fetched_at = 0.0
        self._doubted = False
        self._failure: CredentialUnreadable | None = None
        self._failures = 0
        self._is_closed = False

    def start(self) -> None:
        """Fetch the value now, and keep it fresh until `close`."""
        start_thread("kept-fresh", self._keep, fail=die)

    def close(self) -> None:
        """Fetch no more."""
        with self._change:
            self._is_closed = True
            self._change.notify_all()

    def value(self, *, seconds: float) -> T:
        """The value to use; waits at most `seconds` for the first. Raises CredentialUnreadable."""
        value = self._value
        if value is not None and self._clock() < self._valid_until:
            return value
        with self._change:
            self._change.wait_for(lambda: self._is_valid() or self._failure, timeout=seconds)
            if self._value is not None and self._is_valid():
                return self._value
            raise CredentialUnreadable(
                str(self._failure or f"{self._source} did not answer in time.")
            ) from self._failure

    def refused(self, value: T) -> None:
        """The API answered 401 or 403: fetch the next value, unless it was replaced meanwhile."""
        with self._change:
            if value is self._value:
                self._doubted = True
                self._change.notify_all()

    def renew(self) -> float:
        """Fetch the value; the seconds until the next time."""
        began = self._fetched_at = self._clock()
        try:
            fetched = self._fetch()
        except CredentialUnreadable as error:
            with self._change:
                self._failure = error
                self._change.notify_all()
            self._failures += 1
            return min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(self._failures - 1, 8))
        with self._change:
            self._failures = 0
            self._failure = None
            self._doubted = False
            self._value = fetched.value
            self._valid_until = began + fetched.valid_seconds
            self._change.notify_all()
        return max(FIRST_RETRY_SECONDS, began + fetched.renew_seconds - self._clock())

    def _keep(self) -> None:
        while not self._is_closed:
            self._wait(self.renew())

    def _wait(self, seconds: float) -> None:
        """Wait until the next fetch is due; a refused value is fetched anew earlier."""
        due = self._clock() + seconds
        with self._change:
            while not self._is_closed and (left := due - self._clock()) > 0:
                if self._doubted:
                    left = min(left, self._fetched_at + READ_AGAIN_SECONDS - self._clock())
                    if left <= 0:
                        return
                self._change.wait(min(left, LAST_RETRY_SECONDS))

    def _is_valid(self) -> bool:
        return self._clock() < self._valid_until
