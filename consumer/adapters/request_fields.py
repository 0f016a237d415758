"""The header fields of a request that settings name: ORDERS_API_HEADERS and its neighbours."""

import json
import re
from collections.abc import Mapping

FIELDS_BYTES = 8_192
"""Of all static headers together; servers refuse longer heads."""

NO_FIELD = "none"

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", re.ASCII)
_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?", re.ASCII)
_MEDIA_TYPE = re.compile(r"[!#$&^_.+0-9A-Za-z-]+/[!#$&^_.+0-9A-Za-z-]+(?:[ \t]*;[ -~]*)?", re.ASCII)
_OURS = {
    "authorization": "ORDERS_API_AUTH and ORDERS_API_TOKEN",
    "content-type": "ORDERS_API_CONTENT_TYPE",
}
OF_THE_TRANSPORT = frozenset(
    (
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


class FieldsUnusable(ValueError):
    """The message says what is wrong with a setting of header fields."""


def parse_headers(text: str) -> dict[str, str]:
    """Parse a JSON object of names and values: `{"X-Shop": "12"}`. Raises FieldsUnusable."""
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise FieldsUnusable(f"it is no JSON object; {_EXAMPLE}") from error
    if not isinstance(pairs, _Pairs):
        raise FieldsUnusable(f"it is no JSON object; {_EXAMPLE}")
    headers: dict[str, str] = {}
    for name, value in pairs:
        _check_name(name)
        if name.lower() in map(str.lower, headers):
            raise FieldsUnusable(f"it names {name} twice; keep one of them")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise FieldsUnusable(
                f"the value of {name} must be a string of visible ASCII, no space at its ends"
            )
        headers[name] = value
    if sum(len(name) + len(value) for name, value in headers.items()) > FIELDS_BYTES:
        raise FieldsUnusable(f"its headers have more than {FIELDS_BYTES:,} bytes together")
    return headers


def parse_idempotency_header(text: str) -> str | None:
    """The name of the field that carries the key; `none` is None. Raises FieldsUnusable."""
    if text == NO_FIELD:
        return None
    _check_name(text)
    return text


def parse_content_type(text: str) -> str:
    """A media type such as `application/merge-patch+json`. Raises FieldsUnusable."""
    if not _MEDIA_TYPE.fullmatch(text):
        raise FieldsUnusable("it is no media type; write for example application/json")
    return text


def check_apart(headers: Mapping[str, str], idempotency_header: str | None) -> None:
    """Raises FieldsUnusable where the static headers name the one of the idempotency key."""
    if idempotency_header is not None and idempotency_header.lower() in map(str.lower, headers):
        raise FieldsUnusable(
            f"it names {idempotency_header}, which carries the idempotency key; "
            "leave it out, or set ORDERS_API_IDEMPOTENCY_HEADER"
        )


class _Pairs(list[tuple[str, object]]):
    """The members of a JSON object in their order, doubles included."""


_EXAMPLE = 'write for example {"X-Shop": "12", "X-Env": "prod"}'


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise FieldsUnusable(f"{name[:40]!r} is no name of a header; write for example X-Shop")
    instead = _OURS.get(name.lower())
    if instead is not None:
        raise FieldsUnusable(f"{name} is set by {instead}; leave it out")
    if name.lower() in OF_THE_TRANSPORT:
        raise FieldsUnusable(f"{name} is set with each request; leave it out")
