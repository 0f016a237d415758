"""The body of a request: the order as it came, or wrapped by ORDERS_API_BODY."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from consumer.delivery.attempts import OrderRequest

AS_IT_CAME = "{body}"
_PLACEHOLDERS = ("{body}", "{order_id}", "{upload}", "{line}")
_LIKE_A_PLACEHOLDER = re.compile(r"(\{[a-z_]+\})")
_JSON = re.compile(r"application/(?:[^;\s]+\+)?json", re.IGNORECASE)
_FORM = "application/x-www-form-urlencoded"
_STRING_ENDS = re.compile(r'(?<!\\)(?:\\\\)*"')


class BodyTemplateUnusable(ValueError):
    """The message says what is wrong with ORDERS_API_BODY."""


_Fill = Callable[[OrderRequest], bytes]


def _text(order: OrderRequest, name: str) -> str:
    match name:
        case "{order_id}":
            return order.order_id
        case "{upload}":
            return order.upload
        case _:
            return str(order.line)


@dataclass(frozen=True, slots=True)
class BodyTemplate:
    """Bodies by a template: literal pieces, and between them what fills each placeholder."""

    _literals: tuple[bytes, ...] = field(repr=False)
    _fills: tuple[_Fill, ...] = field(repr=False)

    def of(self, order: OrderRequest) -> bytes:
        """The body of an order's request."""
        if not self._fills:
            return order.body
        first, *others = self._literals
        pieces = [first]
        for fill, literal in zip(self._fills, others, strict=True):
            pieces += (fill(order), literal)
        return b"".join(pieces)


WHOLE: Final = BodyTemplate((), ())
"""The order as it came, byte for byte."""


def parse_body_template(text: str, *, content_type: str) -> BodyTemplate:
    """Parse a template for bodies of this content type. Raises BodyTemplateUnusable.

    Where the type is JSON, `{order_id}` and `{upload}` are JSON strings: with their quotes, or
    without where the template has them in a string. In a form each value is percent-encoded, in
    any other type it stands as it is.
    """
    if text == AS_IT_CAME:
        return WHOLE
    first, *rest = _LIKE_A_PLACEHOLDER.split(text)
    names, others = rest[::2], rest[1::2]
    for name in names:
        if name not in _PLACEHOLDERS:
            known = ", ".join(_PLACEHOLDERS)
            raise BodyTemplateUnusable(f"{name} is no placeholder; there are {known}")
    if names.count(AS_IT_CAME) != 1:
        raise BodyTemplateUnusable("it must contain {body} exactly once")
    literals = [first, *others]
    if _JSON.fullmatch(content_type.partition(";")[0].strip()):
        template = _json_template(literals, names)
    elif content_type.lower().startswith(_FORM):
        template = _template(literals, [_form_fill(name) for name in names])
    else:
        template = _template(literals, [_plain_fill(name) for name in names])
    return template


def _template(literals: list[str], fills: list[_Fill]) -> BodyTemplate:
    try:
        return BodyTemplate(tuple(literal.encode() for literal in literals), tuple(fills))
    except UnicodeEncodeError as error:
        raise BodyTemplateUnusable("it is not UTF-8") from error


def _json_template(literals: list[str], names: list[str]) -> BodyTemplate:
    fills = []
    is_in_string = False
    for literal, name in zip(literals, names, strict=False):
        is_in_string ^= len(_STRING_ENDS.findall(literal)) % 2 == 1
        if is_in_string and name == AS_IT_CAME:
            raise BodyTemplateUnusable("{body} is a JSON object; take the quotes around it away")
        fills.append(_json_fill(name, is_in_string=is_in_string))
    template = _template(literals, fills)
    sample = OrderRequest("0" * 20, 1, 'a"\\b', b"{}", idempotency_key="")
    try:
        json.loads(template.of(sample), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BodyTemplateUnusable(
            "it does not make JSON; check its braces and quotes, or set ORDERS_API_CONTENT_TYPE"
        ) from error
    return template


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _json_fill(name: str, *, is_in_string: bool) -> _Fill:
    def text(order: OrderRequest) -> bytes:
        return json.dumps(_text(order, name)).encode()

    def number(order: OrderRequest) -> bytes:
        return b"%d" % order.line

    match name:
        case "{body}":
            return lambda order: order.body
        case "{line}":
            return number
        case _ if is_in_string:
            return lambda order: text(order)[1:-1]
        case _:
            return text


def _form_fill(name: str) -> _Fill:
    if name == AS_IT_CAME:
        return lambda order: quote(order.body, safe="").encode()
    return lambda order: quote(_text(order, name), safe="", errors="surrogatepass").encode()


def _plain_fill(name: str) -> _Fill:
    if name == AS_IT_CAME:
        return lambda order: order.body
    return lambda order: _text(order, name).encode(errors="surrogatepass")
