import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.hiding import HIDDEN, without_secrets

ESCAPES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON of .NET": lambda text: "".join(c if c.isalnum() else f"\\u{ord(c):04X}" for c in text),
    "a URL": quote,
    "a URL, all of it": lambda text: quote(text, safe=""),
    "a form": quote_plus,
    "HTML": html.escape,
    "HTML in numbers": lambda text: "".join(f"&#{ord(c)};" for c in text),
}


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES.keys())
@given(secret=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=4))
def test_a_secret_is_hidden_however_it_is_escaped(
    escape: Callable[[str], str], secret: str
) -> None:
    assert without_secrets(f"<{escape(secret)}> <{escape(secret)}>", (secret,)).count(HIDDEN) >= 2


@given(st.text())
def test_a_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert without_secrets(text, ("s3cret-value-0001", "")) == text


@pytest.mark.parametrize(
    "text", ["\\" * 65_536, "%2" * 32_768, "&#0000000" * 7_000, "\\u002" * 12_000, "+/=" * 21_000]
)
def test_no_text_takes_longer_than_its_length_allows(text: str) -> None:
    assert without_secrets(text, ("+/=-" * 4_096,)) == text
