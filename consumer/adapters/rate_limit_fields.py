"""When is a used-up quota free again, by the rate limit fields that APIs send?"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import http_sf

HeaderFields = Mapping[str, Sequence[str]]

FAMILIES = ("ratelimit", "x-ratelimit", "x-rate-limit")
RATE_LIMIT_FIELDS = (
    "ratelimit",
    "ratelimit-policy",
    *(f"{family}-{part}" for family in FAMILIES for part in ("remaining", "reset", "reset-after")),
)
"""The names of all fields that are read here, in lower case."""

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
        remaining = _first_number(fields.get(f"{family}-remaining", ()))
        if remaining:
            continue
        after = _first_number(fields.get(f"{family}-reset-after", ()))
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
    number = _first_number((value,))
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


def _first_number(values: Iterable[str]) -> float | None:
    for value in values:
        found = _FIRST_NUMBER.fullmatch(value)
        if found is not None:
            return float(found[1])
    return None


def _structured_waits(fields: HeaderFields) -> Iterator[float]:
    limits = _members(fields.get("ratelimit", ()))
    policies = _members(fields.get("ratelimit-policy", ()))
    for name, limit in limits.items():
        if _number(limit, "r", "remaining") != 0:
            continue
        reset_seconds = _number(limit, "t", "reset")
        if reset_seconds is None:
            reset_seconds = _number(policies.get(name, {}), "w")
        if reset_seconds is not None:
            yield reset_seconds


def _members(values: Sequence[str]) -> dict[str, Mapping[str, object]]:
    """Members of a structured field by name, each with its parameters.

    A current field is a list (`"default";r=0;t=30`); up to draft 07 it was one dictionary
    (`limit=10, remaining=0, reset=30`), which is read as one member without a name.
    """
    field = ", ".join(values).encode("latin-1", errors="replace")
    try:
        listed = http_sf.parse(field, tltype="list")
    except http_sf.StructuredFieldError:
        return _one_dictionary(field)
    members: dict[str, Mapping[str, object]] = {}
    for item in listed if isinstance(listed, list) else ():
        match item:
            case (str() | http_sf.Token() as name, dict() as parameters):
                members[str(name)] = parameters
            case _:
                pass
    return members


def _one_dictionary(field: bytes) -> dict[str, Mapping[str, object]]:
    try:
        members = http_sf.parse(field, tltype="dictionary")
    except http_sf.StructuredFieldError:
        return {}
    if not isinstance(members, dict):
        return {}
    return {"": {key: item[0] for key, item in members.items() if isinstance(item, tuple)}}


def _number(parameters: Mapping[str, object], *names: str) -> float | None:
    for name in names:
        value = parameters.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return float(value)
    return None
