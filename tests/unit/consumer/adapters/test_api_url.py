from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.api_url import ApiUrl, ApiUrlUnusable, parse_api_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "https://api.example.com/orders/{order_id}",
            ApiUrl(
                secure=True,
                host="api.example.com",
                port=443,
                authority="api.example.com",
                before="/orders/",
                after="",
            ),
        ),
        (
            "http://127.0.0.1:8080/v1/../a%20b/{order_id}/put?dry=no",
            ApiUrl(
                secure=False,
                host="127.0.0.1",
                port=8080,
                authority="127.0.0.1:8080",
                before="/v1/../a%20b/",
                after="/put?dry=no",
            ),
        ),
        (
            "HTTP://[::1]:99/id={order_id}&x=1",
            ApiUrl(
                secure=False,
                host="::1",
                port=99,
                authority="[::1]:99",
                before="/id=",
                after="&x=1",
            ),
        ),
    ],
)
def test_a_url_is_split_around_the_order_id_and_else_kept_as_it_is(
    text: str, expected: ApiUrl
) -> None:
    assert parse_api_url(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("https://api.test/orders", "exactly once"),
        ("https://api.test/{order_id}/{order_id}", "exactly once"),
        ("https://api.test/{tenant}/{order_id}", "visible ASCII"),
        ("https://api.test/or ders/{order_id}", "visible ASCII"),
        ("https://api.test/\r\nX: y/{order_id}", "visible ASCII"),
        ("https://äpi.test/{order_id}", "visible ASCII"),
        ("ftp://api.test/{order_id}", "http:// or https://"),
        ("api.test/{order_id}", "http:// or https://"),
        ("https:///{order_id}", "http:// or https://"),
        ("https://api.test:0x1/{order_id}", "cannot be read"),
        ("https://[::1/{order_id}", "cannot be read"),
        ("https://user:secret@api.test/{order_id}", "must not hold a user"),
        ("https://api.test/#{order_id}", "fragment"),
        ("https://api.test/{order_id}#top", "fragment"),
        ("https://{order_id}.api.test/", "http:// or https://"),
        ("https://api.test{order_id}", "in its path"),
        ("https://api.test/?id={order_id}", "in its path"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(ApiUrlUnusable, match=complaint) as raised:
        parse_api_url(text)

    assert "secret" not in str(raised.value)


@given(st.text(min_size=1))
def test_every_id_becomes_one_segment_of_ascii_and_comes_back(order_id: str) -> None:
    target = parse_api_url("https://api.test/orders/{order_id}/put").target(order_id)

    segment = target.removeprefix("/orders/").removesuffix("/put")
    assert segment.isascii()
    assert segment.isprintable()
    assert not set(segment) & set("/?#& ;+")
    assert unquote(segment, errors="surrogatepass") == order_id
