"""The credential sent with each order, and when it is read again."""

import re
import time
from collections.abc import Callable
from threading import Lock

from pydantic import SecretStr

from consumer.adapters.bounded_call import TookTooLong, within

READ_AGAIN_SECONDS = 5.0  # Secrets Manager bills each read; probes are less frequent than this
TOKEN_CHARACTERS = 16_384
_TOKEN = re.compile(r"[!-~]+")


class CredentialUnreadable(Exception):
    """No usable credential; the message says where and what to do, never the value."""


class FixedCredential:
    """A token that only a restart changes, or none at all."""

    def __init__(self, token: SecretStr | None = None) -> None:
        """Raises CredentialUnreadable where the token cannot be one."""
        self._token = None
        if token is not None:
            self._token = _checked(token.get_secret_value(), "ORDERS_API_TOKEN")

    def token(self, *, seconds: float) -> str | None:
        """The token to send, None if the API needs none."""
        del seconds
        return self._token

    def refused(self, token: str) -> None:
        """The API answered 401 or 403: sending stays blocked until a person acts."""


class ReadCredential:
    """A token that is read from somewhere, and read again once the API refuses it.

    One thread reads it before the next attempt, at most every READ_AGAIN_SECONDS; meanwhile, and
    while reading fails, the old token is used.
    """

    def __init__(
        self,
        read: Callable[[], str],
        *,
        source: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read` may block, and raises CredentialUnreadable; `source` begins error messages."""
        self._read = read
        self._source = source
        self._clock = clock
        self._lock = Lock()
        self._token: str | None = None
        self._doubted = False
        self._failure: CredentialUnreadable | None = None
        self._read_at: float | None = None

    def token(self, *, seconds: float) -> str:
        """The token to send, read again if it was refused; takes at most `seconds`.

        Raises CredentialUnreadable.
        """
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
        """The API answered 401 or 403: read the token again, unless it was replaced meanwhile."""
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


Credential = FixedCredential | ReadCredential


def _checked(text: str, source: str) -> str:
    """The token without the line ending that editors add."""
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
