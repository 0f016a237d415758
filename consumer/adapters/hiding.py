"""Taking secrets out of a text of the API, however it wrote them."""

import html
import re
from collections.abc import Callable
from typing import Final, NamedTuple

HIDDEN: Final = "[credential]"


class _Escaping(NamedTuple):
    """A way to write characters: what an escaped one looks like, and what it stands for."""

    mark: str
    escaped: re.Pattern[str]
    meant: Callable[[str], str]


# Each on its own: what one takes for an escape may be a secret's own text in another. A backslash
# may be doubled where JSON stands in JSON.
_ESCAPINGS = (
    _Escaping(
        "\\",  # JSON, with which PHP writes \/ and .NET \u002B
        re.compile(r"\\{1,4}u[0-9a-fA-F]{4}|\\[^u]"),
        lambda text: text[1:] if len(text) == 2 else chr(int(text[-4:], 16)),  # noqa: PLR2004
    ),
    _Escaping("%", re.compile(r"%[0-9a-fA-F]{2}"), lambda text: chr(int(text[1:], 16))),
    _Escaping(
        "+",  # a form
        re.compile(r"%[0-9a-fA-F]{2}|\+"),
        lambda text: " " if text == "+" else chr(int(text[1:], 16)),
    ),
    _Escaping(
        "&",  # HTML
        re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-z]{2,4});"),
        html.unescape,
    ),
)


def without_secrets(text: str, secrets: tuple[str, ...]) -> str:
    """The text with each of the secrets replaced, the longest first, escaped or not."""
    longest_first = sorted(filter(None, secrets), key=len, reverse=True)
    for secret in longest_first:
        text = text.replace(secret, HIDDEN)
    for escaping in _ESCAPINGS:
        if escaping.mark in text:
            text = _without_escaped(text, longest_first, escaping)
    return text


def _without_escaped(text: str, secrets: list[str], escaping: _Escaping) -> str:
    for secret in secrets:
        plain, places = _read(text, escaping)
        end = len(plain)
        while (start := plain.rfind(secret, 0, end)) >= 0:
            stop = start + len(secret)
            text = text[: places[start]] + HIDDEN + text[places[stop] :]
            end = start
    return text


def _read(text: str, escaping: _Escaping) -> tuple[str, list[int]]:
    """What a text says, and where in it each character stands; the last place is its end."""
    pieces: list[str] = []
    places: list[int] = []
    at = 0
    for found in escaping.escaped.finditer(text):
        meant = escaping.meant(found[0])
        pieces += (text[at : found.start()], meant)
        places += (*range(at, found.start()), *([found.start()] * len(meant)))
        at = found.end()
    places += range(at, len(text) + 1)
    return "".join([*pieces, text[at:]]), places
