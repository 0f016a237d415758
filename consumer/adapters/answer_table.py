"""What does each HTTP status of the API mean?"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

_ENTRY = re.compile(r"([0-9]{3})\s*=\s*([a-z]+)", re.ASCII)
_NEVER_OF_THE_ORDER = frozenset({408, 425, 502, 503, 504})
_EVERY = range(100, 1000)


class Meaning(Enum):
    """What an answer says about the order and about sending; docs/api-answers.md has the table."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    CONFLICT = "conflict"
    RETRY = "retry"
    THROTTLED = "throttled"
    UNAUTHORIZED = "unauthorized"


_SUCCESS = (Meaning.ACCEPTED, Meaning.REFUSED, Meaning.RETRY)
_FAILURE = (Meaning.REFUSED, Meaning.CONFLICT, Meaning.RETRY, Meaning.THROTTLED)


class StatusesUnusable(ValueError):
    """The message says what is wrong with ORDERS_API_STATUSES."""


def published_meaning(status: int) -> Meaning:
    """The meaning of a status by the published table."""
    match status:
        case _ if 200 <= status < 300:  # noqa: PLR2004 - the class of success
            return Meaning.ACCEPTED
        case 401 | 403:
            return Meaning.UNAUTHORIZED
        case 409:
            return Meaning.CONFLICT
        case 429:
            return Meaning.THROTTLED
        case 408 | 425:
            return Meaning.RETRY
        case _ if 400 <= status < 500:  # noqa: PLR2004 - the class of the client's errors
            return Meaning.REFUSED
        case _:
            return Meaning.RETRY


class AnswerTable:
    """The meaning of every status: the published table with some of its rows replaced."""

    def __init__(self, replaced: Mapping[int, Meaning] | None = None) -> None:
        self._meanings = {status: published_meaning(status) for status in _EVERY} | {
            **(replaced or {})
        }

    def meaning(self, status: int) -> Meaning:
        """The meaning of a status; one outside of HTTP's range is `RETRY`."""
        return self._meanings.get(status, Meaning.RETRY)


PUBLISHED: Final = AnswerTable()


def parse_statuses(text: str) -> dict[int, Meaning]:
    """Parse `404=accepted,422=retry`; an empty text replaces none. Raises StatusesUnusable."""
    replaced: dict[int, Meaning] = {}
    if not text:
        return replaced
    for entry in (part.strip() for part in text.split(",")):
        found = _ENTRY.fullmatch(entry)
        if found is None:
            raise StatusesUnusable(
                f"{entry!r} is no STATUS=MEANING; write for example 404=accepted,422=retry"
            )
        status = int(found[1])
        if status in replaced:
            raise StatusesUnusable(f"{status} is named twice; keep one of them")
        replaced[status] = _meaning_named(found[2], status)
    return replaced


def _meaning_named(name: str, status: int) -> Meaning:
    allowed = _allowed(status)
    if not allowed:
        raise StatusesUnusable(f"the meaning of {status} is fixed; leave it out")
    for meaning in allowed:
        if meaning.value == name:
            return meaning
    choices = ", ".join(meaning.value for meaning in allowed)
    raise StatusesUnusable(f"{status} cannot mean {name}; it can mean {choices}")


def _allowed(status: int) -> tuple[Meaning, ...]:
    """What a status may mean. An answer that was never about the order decides about none.

    1xx is no final answer; 401 and 429 mean the same everywhere. A redirect, a gateway's answer
    and a time-out say nothing about the order, so they settle none; a server error accepts none.
    """
    match status:
        case 401 | 429:
            return ()
        case 403:
            return (Meaning.REFUSED, Meaning.RETRY, Meaning.THROTTLED, Meaning.UNAUTHORIZED)
        case _ if status in _NEVER_OF_THE_ORDER:
            return (Meaning.RETRY, Meaning.THROTTLED)
        case 303 | 304:
            return (*_SUCCESS, Meaning.UNAUTHORIZED)
        case _:
            return _allowed_in_class(status // 100)


def _allowed_in_class(first_digit: int) -> tuple[Meaning, ...]:
    match first_digit:
        case 2:
            return _SUCCESS
        case 3:
            return (Meaning.RETRY, Meaning.UNAUTHORIZED)
        case 4:
            return (Meaning.ACCEPTED, *_FAILURE, Meaning.UNAUTHORIZED)
        case 5:
            return _FAILURE
        case _:
            return ()
