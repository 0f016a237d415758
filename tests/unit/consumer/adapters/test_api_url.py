import pytest

from consumer.adapters.api_url import ApiUrl, ApiUrlUnusable, parse_api_url
from consumer.adapters.request_target import RequestTarget


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
                target=RequestTarget("/orders/{order_id}"),
            ),
        ),
        (
            "http://127.0.0.1:8080/v1/../a%20b/{order_id}/put?dry=no",
            ApiUrl(
                secure=False,
                host="127.0.0.1",
                port=8080,
                authority="127.0.0.1:8080",
                target=RequestTarget("/v1/../a%20b/{order_id}/put?dry=no"),
            ),
        ),
        (
            "HTTP://[::1]:99/id={order_id}&x=1",
            ApiUrl(
                secure=False,
                host="::1",
                port=99,
                authority="[::1]:99",
                target=RequestTarget("/id={order_id}&x=1"),
            ),
        ),
        (
            "http://p?all=yes",
            ApiUrl(
                secure=False,
                host="p",
                port=80,
                authority="p",
                target=RequestTarget("/?all=yes"),
            ),
        ),
    ],
)
def test_a_url_is_split_before_its_path_and_else_kept_as_it_is(text: str, expected: ApiUrl) -> None:
    assert parse_api_url(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("https://api.test/{order_id}/{order_id}", "order_id} only once"),
        ("https://api.test/{upload}/{upload}/{order_id}", "upload} only once"),
        ("https://api.test/{tenant}/{order_id}", "tenant} is no placeholder"),
        ("https://api.test/{0}/{order_id}", "visible ASCII"),
        ("https://api.test/or ders/{order_id}", "visible ASCII"),
        ("https://api.test/\r\nX: y/{order_id}", "visible ASCII"),
        ("https://äpi.test/{order_id}", "visible ASCII"),
        ("ftp://api.test/{order_id}", "http:// or https://"),
        ("https://api.test:0/{order_id}", "port 0"),
        ("https://api..test/{order_id}", "api..test is no name or address"),
        (f"https://{'a' * 64}.test/{{order_id}}", "is no name or address"),
        ("https://api,test/{order_id}", "api,test is no name or address"),
        ("api.test/{order_id}", "http:// or https://"),
        ("https:///{order_id}", "http:// or https://"),
        ("https://api.test:0x1/{order_id}", "cannot be read"),
        ("https://[::1/{order_id}", "cannot be read"),
        ("https://user:secret@api.test/{order_id}", "must not hold a user"),
        ("https://api.test/#{order_id}", "fragment"),
        ("https://api.test/{order_id}#top", "fragment"),
        ("https://{order_id}.api.test/", "in its path"),
        ("https://api.test{order_id}", "in its path"),
        ("https://api.test/?id={order_id}", "order_id} must stand in its path"),
        ("https://api.test/{order_id}?c={customer_id}", "customer_id} must stand in its path"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(ApiUrlUnusable, match=complaint) as raised:
        parse_api_url(text)

    assert "secret" not in str(raised.value)
