"""The credential sent with each order, and when it is read again."""

import re
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Lock
from typing import Generic, TypeVar

from pydantic import SecretStr

from consumer.adapters.bounded_call import begun

READ_AGAIN_SECONDS = 5.0  # Secrets Manager bills each read; probes are less frequent than this
READ_GIVEN_UP_SECONDS = 300.0  # then another thread tries: the source may hang for ever
TOKEN_CHARACTERS = 16_384
_TOKEN = re.compile(r"[!-~]+")
_TEXT = re.compile(r"[!-~]([ -~]*[!-~])?")

T = TypeVar("T")


class CredentialUnreadable(Exception):
    """No usable credential; the message says where and what to do, never the value."""


Rule = Callable[[str], str | None]
"""What is wrong with a credential, said without it; None where nothing is."""


def not_a_token(text: str) -> str | None:
    """A token is visible ASCII."""
    if _TOKEN.fullmatch(text):
        return None
    return (
        "holds something that cannot be a token: a line break, a space or another character "
        "that is not visible ASCII"
    )


def not_a_field_value(text: str) -> str | None:
    """A header's value is visible ASCII, with spaces inside."""
    if _TEXT.fullmatch(text):
        return None
    return (
        "holds something that cannot be a header's value: a line break, a space at its end or "
        "another character that is not printable ASCII"
    )


def not_user_and_password(text: str) -> str | None:
    """A user name, a colon, and a password of printable ASCII."""
    if not text.partition(":")[0] or ":" not in text:
        return "is not of the form user:password, which basic needs there"
    return not_a_field_value(text)


class FixedCredential:
    """A token that only a restart changes, or none at all."""

    def __init__(self, token: SecretStr | None = None, *, rule: Rule = not_a_token) -> None:
        """Raises CredentialUnreadable where the token cannot be one."""
        self._token = None
        if token is not None:
            self._token = _checked(token.get_secret_value(), "ORDERS_API_TOKEN", rule)

    def token(self, *, seconds: float) -> str | None:
        """The token to send, None if the API needs none."""
        del seconds
        return self._token

    def refused(self, token: str) -> None:
        """The API answered 401 or 403: sending stays blocked until a person acts."""


class ReadAgain(Generic[T]):
    """A value that is read from somewhere, and read again once the API refuses it.

    One thread reads it before the next attempt, at most every READ_AGAIN_SECONDS; meanwhile, and
    while reading fails, the old value is used. A reading that takes longer than an attempt may
    wait goes on, and the next attempt takes its result.
    """

    def __init__(
        self,
        read: Callable[[], T],
        *,
        source: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read` may block, and raises CredentialUnreadable; `source` begins error messages."""
        self._read = read
        self._source = source
        self._clock = clock
        self._lock = Lock()
        self._value: T | None = None
        self._doubted = False
        self._failure: CredentialUnreadable | None = None
        self._read_at: float | None = None
        self._reading: Future[T] | None = None

    def value(self, *, seconds: float) -> T:
        """The value to use, read again if it was refused; takes at most `seconds`.

        Raises CredentialUnreadable.
        """
        value = self._value
        if value is not None and not self._doubted:
            return value
        if self._lock.acquire(timeout=0.0 if value is not None else max(0.0, seconds)):
            try:
                self._read_if_due(seconds)
            finally:
                self._lock.release()
        if self._value is not None:
            return self._value
        raise CredentialUnreadable(
            str(self._failure or f"{self._source} could not be read in time.")
        ) from self._failure

    def refused(self, value: T) -> None:
        """The API answered 401 or 403: read the value again, unless it was replaced meanwhile."""
        if value == self._value:
            self._doubted = True

    def _read_if_due(self, seconds: float) -> None:
        now = self._clock()
        since_seconds = READ_GIVEN_UP_SECONDS if self._read_at is None else now - self._read_at
        patience_seconds = seconds if self._value is None else seconds / 2
        if self._reading is None or since_seconds >= READ_GIVEN_UP_SECONDS:
            if since_seconds < READ_AGAIN_SECONDS:
                return
            self._read_at = now
            self._reading = begun(self._read)
        elif self._value is not None:
            patience_seconds = 0.0
        reading = self._reading
        if not wait([reading], timeout=max(0.0, patience_seconds)).done:
            self._failure = CredentialUnreadable(f"{self._source} could not be read in time.")
            return
        self._reading = None
        try:
            value = reading.result()
        except CredentialUnreadable as error:
            self._failure = error
            return
        self._failure = None
        self._doubted = False
        self._value = value


class ReadCredential(ReadAgain[str]):
    """A token that is read from somewhere, and read again once the API refuses it."""

    def __init__(
        self,
        read: Callable[[], str],
        *,
        source: str,
        rule: Rule = not_a_token,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read` may block, and raises CredentialUnreadable; `source` begins error messages."""
        super().__init__(lambda: _checked(read(), source, rule), source=source, clock=clock)

    def token(self, *, seconds: float) -> str:
        """The token to send; takes at most `seconds`. Raises CredentialUnreadable."""
        return self.value(seconds=seconds)


Credential = FixedCredential | ReadCredential


def _checked(text: str, source: str, rule: Rule) -> str:
    """The token without the line ending that editors add."""
    token = text.rstrip("\r\n")
    if not token:
        raise CredentialUnreadable(f"{source} is empty; put the API's token there.")
    if token.startswith("{"):
        raise CredentialUnreadable(f"{source} holds JSON; store the token alone there.")
    wrong = rule(token)
    if len(token) > TOKEN_CHARACTERS:
        wrong = f"is longer than a token may be: {TOKEN_CHARACTERS} characters"
    if wrong is not None:
        raise CredentialUnreadable(f"{source} {wrong}.")
    return token
