"""Which credential goes out with an order, and when is it read again?"""

import re
import time
from collections.abc import Callable
from threading import Lock
from typing import Protocol

from pydantic import SecretStr

from consumer.adapters.deadline import TookTooLong, within

READ_AGAIN_SECONDS = 5.0  # Secrets Manager bills each read; a probe comes more rarely than this
TOKEN_CHARACTERS = 16_384
_TOKEN = re.compile(r"[!-~]+")


class CredentialUnreadable(Exception):
    """A sentence says where no usable credential was found, and what to do; never its value."""


class Credential(Protocol):
    """What the Authorization header is made of."""

    def token(self, *, seconds: float) -> str | None:
        """The token to send now, None where the API needs none; takes at most so many seconds.

        Raises:
            CredentialUnreadable: there ought to be one and there is none.
        """

    def refused(self, token: str) -> None:
        """The API answered 401 or 403 to this token."""


class FixedCredential:
    """A token that only a restart changes, or none at all."""

    def __init__(self, token: SecretStr | None = None) -> None:
        """Raises CredentialUnreadable where the token cannot be one."""
        self._token = None
        if token is not None:
            self._token = _checked(token.get_secret_value(), "ORDERS_API_TOKEN")

    def token(self, *, seconds: float) -> str | None:
        """The token, at once."""
        del seconds
        return self._token

    def refused(self, token: str) -> None:
        """Nothing to be done: blocked until a person acts."""


class ReadCredential:
    """A token that is read from somewhere, and read again once the API refuses it.

    A new reading is due before the next attempt, at most every READ_AGAIN_SECONDS, by one thread;
    while it fails or another thread is at it, the old token serves.
    """

    def __init__(
        self,
        read: Callable[[], str],
        *,
        source: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read` may take its time and raises CredentialUnreadable; `source` names it to people."""
        self._read = read
        self._source = source
        self._clock = clock
        self._lock = Lock()
        self._token: str | None = None
        self._doubted = False
        self._failure: CredentialUnreadable | None = None
        self._read_at: float | None = None

    def token(self, *, seconds: float) -> str:
        """The token in hand, or a new one where that one was refused."""
        token = self._token
        if token is not None and not self._doubted:
            return token
        if self._lock.acquire(timeout=0.0 if token is not None else max(0.0, seconds)):
            try:
                self._read_if_due(seconds)
            finally:
                self._lock.release()
        if self._token is not None:
            return self._token
        raise CredentialUnreadable(
            str(self._failure or f"{self._source} could not be read in time.")
        ) from self._failure

    def refused(self, token: str) -> None:
        """Doubt the token, unless another one has replaced it since."""
        if token == self._token:
            self._doubted = True

    def _read_if_due(self, seconds: float) -> None:
        now = self._clock()
        if self._read_at is not None and now - self._read_at < READ_AGAIN_SECONDS:
            return
        self._read_at = now
        try:
            token = _checked(within(seconds, self._read, dispose=lambda _: None), self._source)
        except CredentialUnreadable as error:
            self._failure = error
            return
        except TookTooLong:
            self._failure = CredentialUnreadable(f"{self._source} could not be read in time.")
            return
        self._failure = None
        self._doubted = False
        self._token = token


def _checked(text: str, source: str) -> str:
    """The token without the line ending that editors leave behind it."""
    token = text.rstrip("\r\n")
    if not token:
        raise CredentialUnreadable(f"{source} is empty; put the API's token there.")
    if token.startswith("{"):
        raise CredentialUnreadable(f"{source} holds JSON; store the token alone there.")
    if not _TOKEN.fullmatch(token) or len(token) > TOKEN_CHARACTERS:
        raise CredentialUnreadable(
            f"{source} holds something that cannot be a token: a line break, a space or another "
            f"character that is not visible ASCII, or more than {TOKEN_CHARACTERS} of them."
        )
    return token
