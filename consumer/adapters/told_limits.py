"""What does an answer tell about the API's limits, for a person to read?"""

from collections.abc import Iterator
from typing import Final

from consumer.adapters.rate_limit_fields import FAMILIES, HeaderFields, first_number
from consumer.adapters.structured_fields import named_members, number_of_parameter

NOTHING_TOLD: Final[HeaderFields] = {}
LIMITS_SHOWN = 3
_FIELD_CHARACTERS = 2_000
_NUMBER_BELOW = 1e15  # more digits are no quota, and would fill the page
_SPANS = {1: "a second", 60: "a minute", 3_600: "an hour", 86_400: "a day"}


def limits_told(fields: HeaderFields) -> str:
    """Such as `60 a minute, 12 left`; several limits with semicolons, nothing where none is told.

    Only numbers of the answer are in it, no text. It says less than `asked_wait_seconds` reads:
    when a quota is free again is old news by the time that it is read.
    """
    told = [_sentence(*limit) for limit in (*_structured(fields), *_in_three_fields(fields))]
    return "; ".join(list(dict.fromkeys(filter(None, told)))[:LIMITS_SHOWN])


def _structured(fields: HeaderFields) -> Iterator[tuple[float | None, float | None, float | None]]:
    limits, policies = (
        named_members(values) if sum(map(len, values)) <= _FIELD_CHARACTERS else {}
        for values in (fields.get("ratelimit", ()), fields.get("ratelimit-policy", ()))
    )
    for name in dict.fromkeys((*limits, *policies)):
        limit, policy = limits.get(name, {}), policies.get(name, {})
        quota = number_of_parameter(policy, "q")
        yield (
            number_of_parameter(limit, "limit") if quota is None else quota,
            number_of_parameter(policy, "w"),
            number_of_parameter(limit, "r", "remaining"),
        )


def _in_three_fields(
    fields: HeaderFields,
) -> Iterator[tuple[float | None, float | None, float | None]]:
    for family in FAMILIES:
        quota = first_number(fields.get(f"{family}-limit", ()))
        yield quota, None, first_number(fields.get(f"{family}-remaining", ()))


def _sentence(quota: float | None, window: float | None, remaining: float | None) -> str:
    parts = []
    if quota is not None and quota < _NUMBER_BELOW:
        parts.append(f"{quota:,.0f} {_span(window)}")
    if remaining is not None and remaining < _NUMBER_BELOW:
        parts.append(f"{remaining:,.0f} left")
    return ", ".join(parts)


def _span(window: float | None) -> str:
    if window is None or not 0 < window < _NUMBER_BELOW:
        return "allowed"
    return _SPANS.get(int(window), f"in {window:,.0f} s")
