"""How long an answer asks us to wait."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

import http_sf

LONGEST_SECONDS = 1e9  # longer than any wait is meant; finite, so that arithmetic stays sound
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")

HeaderFields = Mapping[str, Sequence[str]]


def asked_wait_seconds(fields: HeaderFields, *, now: float) -> float | None:
    """Seconds that Retry-After asks for, else RateLimit; None where neither is usable.

    Args:
        fields: header fields of the answer by name in lower case, each with its values in order.
        now: epoch seconds, for a Retry-After date in an answer without a readable Date of its own.

    Between 0 and LONGEST_SECONDS. The delivery decides how much of it to believe.
    Sources: RFC 9110 section 10.2.3; draft-ietf-httpapi-ratelimit-headers, whose section on
    Retry-After gives it precedence.
    """
    server_now = _latest(_epoch_seconds(value) for value in fields.get("date", ()))
    wait_seconds = retry_after_seconds(fields, now=now if server_now is None else server_now)
    return _rate_limit_seconds(fields) if wait_seconds is None else wait_seconds


def retry_after_seconds(fields: HeaderFields, *, now: float) -> float | None:
    """Seconds that Retry-After asks for, as a number or a date; a date in the past is 0.

    `now` is epoch seconds by the clock that the date was written with, as far as known.
    """
    return _latest(_retry_after(value, now) for value in fields.get("retry-after", ()))


def _retry_after(value: str, now: float) -> float | None:
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_SECONDS)
    then = _epoch_seconds(text)
    return None if then is None else min(max(0.0, then - now), LONGEST_SECONDS)


def _epoch_seconds(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return zoned.timestamp()
    except (ValueError, OverflowError):
        return None


def _latest(seconds: Iterable[float | None]) -> float | None:
    return max((value for value in seconds if value is not None), default=None)


def _rate_limit_seconds(fields: HeaderFields) -> float | None:
    limits = _members(fields.get("ratelimit", ()))
    policies = _members(fields.get("ratelimit-policy", ()))
    waits = []
    for name, limit in limits.items():
        if _number(limit, "r", "remaining") != 0:
            continue
        reset_seconds = _number(limit, "t", "reset")
        if reset_seconds is None:
            reset_seconds = _number(policies.get(name, {}), "w")
        waits.append(reset_seconds)
    longest = _latest(waits)
    return None if longest is None else min(longest, LONGEST_SECONDS)


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
