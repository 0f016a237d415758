"""When is a used-up quota free again, by the rate limit fields that APIs send?"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from consumer.adapters.structured_fields import named_members, number_of_parameter

HeaderFields = Mapping[str, Sequence[str]]

FAMILIES = ("ratelimit", "x-ratelimit", "x-rate-limit")
PARTS = ("limit", "remaining", "reset", "reset-after")
RATE_LIMIT_FIELDS = (
    "ratelimit",
    "ratelimit-policy",
    *(f"{family}-{part}" for family in FAMILIES for part in PARTS),
)
"""The names of all fields that are read of an answer, in lower case."""

_FIRST_NUMBER = re.compile(r"\s*([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*(?:[,;].*)?", re.ASCII)
_EPOCH_FROM = (
    1e8  # a shorter number is a wait, of up to three years; a larger one a date since 1973
)
_EPOCH_MILLISECONDS_FROM = 1e11  # as seconds: the year 5138


def reset_waits(fields: HeaderFields, *, now: float) -> Iterator[float]:
    """Seconds, 0 or more, until each quota that is used up is free again, as far as named.

    `now` is epoch seconds by the clock that resets were written with, as far as known. Only to be
    asked of an answer that says that there were too many requests: a reset without a word on what
    remains is taken for that of the used-up quota.

    Sources: draft-ietf-httpapi-ratelimit-headers, where RateLimit is one structured field, and its
    drafts up to 06, with three fields, whose forerunners began with X-. In these a reset is a
    number of seconds, or as often a date: in epoch seconds, in epoch milliseconds, or written out.
    """
    yield from _structured_waits(fields)
    for family in FAMILIES:
        remaining = first_number(fields.get(f"{family}-remaining", ()))
        if remaining:
            continue
        after = first_number(fields.get(f"{family}-reset-after", ()))
        if after is not None:
            yield after
            continue
        for value in fields.get(f"{family}-reset", ()):
            wait_seconds = _reset_seconds(value, now)
            if wait_seconds is not None:
                yield wait_seconds


def http_date_seconds(date: str) -> float | None:
    """Epoch seconds of a date as HTTP writes it; None of anything else."""
    try:
        return _utc_unless_zoned(parsedate_to_datetime(date)).timestamp()
    except (ValueError, OverflowError):
        return None


def _reset_seconds(value: str, now: float) -> float | None:
    number = first_number((value,))
    if number is None:
        then = http_date_seconds(value)
        then = _iso_seconds(value) if then is None else then
        return None if then is None else max(0.0, then - now)
    if number < _EPOCH_FROM:
        return number
    is_milliseconds = number >= _EPOCH_MILLISECONDS_FROM
    return max(0.0, (number / 1000 if is_milliseconds else number) - now)


def _iso_seconds(date: str) -> float | None:
    try:
        return _utc_unless_zoned(datetime.fromisoformat(date.strip())).timestamp()
    except (ValueError, OverflowError):
        return None


def _utc_unless_zoned(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def first_number(values: Iterable[str]) -> float | None:
    """The number that the first readable value begins with."""
    for value in values:
        found = _FIRST_NUMBER.fullmatch(value)
        if found is not None:
            return float(found[1])
    return None


def _structured_waits(fields: HeaderFields) -> Iterator[float]:
    limits = named_members(fields.get("ratelimit", ()))
    policies = named_members(fields.get("ratelimit-policy", ()))
    for name, limit in limits.items():
        if number_of_parameter(limit, "r", "remaining") != 0:
            continue
        reset_seconds = number_of_parameter(limit, "t", "reset")
        if reset_seconds is None:
            reset_seconds = number_of_parameter(policies.get(name, {}), "w")
        if reset_seconds is not None:
            yield reset_seconds
