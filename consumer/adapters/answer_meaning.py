"""What an answer of the API comes to; docs/api-answers.md publishes it."""

import time
from collections.abc import Callable
from http import HTTPStatus

from consumer.adapters.answer_head import Head
from consumer.adapters.answer_table import PUBLISHED, AnswerTable, Meaning
from consumer.adapters.asked_wait import asked_wait_seconds, retry_after_seconds
from consumer.delivery.attempts import (
    Accepted,
    Conflict,
    OrderAttempt,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)

ANSWER_CHARACTERS = 1_000  # of a refusal's body, kept with the dead letter


def attempt_from(
    head: Head, body: bytes, *, hide: Callable[[str], str], answers: AnswerTable = PUBLISHED
) -> OrderAttempt:
    """What a whole answer comes to; `hide` takes the secrets that were sent out of a text."""
    status = head.status
    match answers.meaning(status):
        case Meaning.ACCEPTED:
            return Accepted(status)
        case Meaning.REFUSED:
            return Refused(status, _answered(status), _shown(body, hide))
        case Meaning.CONFLICT:
            return Conflict(status, _shown(body, hide))
        case Meaning.THROTTLED:
            wait_seconds = asked_wait_seconds(head.fields, now=time.time())
            return Throttled(wait_seconds, _answered(status), status)
        case Meaning.UNAUTHORIZED:
            return Unauthorized(status, _answered(status))
        case Meaning.RETRY:
            return broken_off(_answered(status), head)


def broken_off(reason: str, head: Head | None) -> Unavailable:
    """What an answer comes to that settles nothing; `head` if that much of it came."""
    if head is None:
        return Unavailable(None, reason, may_have_arrived=True)
    wait_seconds = retry_after_seconds(head.fields, now=time.time())
    return Unavailable(head.status, reason, may_have_arrived=True, wait_seconds=wait_seconds)


def _answered(status: int) -> str:
    try:
        named = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        named = str(status)
    redirect = ", a redirect, which is never followed" if 300 <= status < 400 else ""  # noqa: PLR2004
    return f"the API answered {named}{redirect}"


def _shown(body: bytes, hide: Callable[[str], str]) -> str:
    """The start of an answer's body, for a person to read."""
    return hide(body.decode(errors="replace"))[:ANSWER_CHARACTERS]
