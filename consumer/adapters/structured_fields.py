"""Structured fields (RFC 9651), as far as rate limits are told in them."""

from collections.abc import Mapping, Sequence

import http_sf


def named_members(values: Sequence[str]) -> dict[str, Mapping[str, object]]:
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


def number_of_parameter(parameters: Mapping[str, object], *names: str) -> float | None:
    """The first of these parameters that is a whole number of 0 or more."""
    for name in names:
        value = parameters.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return float(value)
    return None
