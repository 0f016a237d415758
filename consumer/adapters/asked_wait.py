"""How long an answer asks us to wait."""

import re
from collections.abc import Iterable

from consumer.adapters.rate_limit_fields import HeaderFields, http_date_seconds, reset_waits

LONGEST_SECONDS = 1e9  # longer than any wait is meant; finite, so that arithmetic stays sound
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


def asked_wait_seconds(fields: HeaderFields, *, now: float) -> float | None:
    """Seconds that Retry-After asks for, else a rate limit field; None where none is usable.

    Args:
        fields: header fields of the answer by name in lower case, each with its values in order.
        now: epoch seconds, for a date in an answer without a readable Date of its own.

    Between 0 and LONGEST_SECONDS. The delivery decides how much of it to believe.
    Sources: RFC 9110 section 10.2.3; draft-ietf-httpapi-ratelimit-headers, whose section on
    Retry-After gives it precedence over its own fields.
    """
    named = _latest(http_date_seconds(value) for value in fields.get("date", ()))
    server_now = now if named is None else named
    wait_seconds = retry_after_seconds(fields, now=server_now)
    if wait_seconds is not None:
        return wait_seconds
    longest = _latest(reset_waits(fields, now=server_now))
    return None if longest is None else min(longest, LONGEST_SECONDS)


def retry_after_seconds(fields: HeaderFields, *, now: float) -> float | None:
    """Seconds that Retry-After asks for, as a number or a date; a date in the past is 0.

    `now` is epoch seconds by the clock that the date was written with, as far as known.
    """
    return _latest(_retry_after(value, now) for value in fields.get("retry-after", ()))


def _retry_after(value: str, now: float) -> float | None:
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_SECONDS)
    then = http_date_seconds(text)
    return None if then is None else min(max(0.0, then - now), LONGEST_SECONDS)


def _latest(seconds: Iterable[float | None]) -> float | None:
    return max((value for value in seconds if value is not None), default=None)
