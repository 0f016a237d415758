import pytest

from consumer.adapters.request_fields import (
    FieldsUnusable,
    check_apart,
    parse_content_type,
    parse_headers,
    parse_idempotency_header,
)


def test_headers_are_a_json_object_of_names_and_texts() -> None:
    headers = parse_headers('{"X-Shop": "12", "Accept": "application/vnd.shop+json; version=2"}')

    assert headers == {"X-Shop": "12", "Accept": "application/vnd.shop+json; version=2"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("X-Shop: 12", "it is no JSON object; write for example"),
        ('["X-Shop"]', "it is no JSON object"),
        ("[" * 100_000, "it is no JSON object"),
        ('{"X-Shop": 12}', "the value of X-Shop must be a string"),
        ('{"X-Shop": ""}', "the value of X-Shop must be a string"),
        ('{"X-Shop": " 12"}', "no space at its ends"),
        ('{"X-Shop": "a\\r\\nX-Evil: b"}', "visible ASCII"),
        ('{"X-Shop": "Größe"}', "visible ASCII"),
        ('{"X-Shop": {"a": "b"}}', "must be a string"),
        ('{"X Shop": "12"}', "'X Shop' is no name of a header"),
        ('{"": "12"}', "is no name of a header"),
        ('{"X-Shop": "1", "x-shop": "2"}', "it names x-shop twice"),
        ('{"X-Shop": "1", "X-Shop": "2"}', "it names X-Shop twice"),
        ('{"Authorization": "Basic x"}', "Authorization is set by ORDERS_API_AUTH"),
        ('{"content-type": "text/xml"}', "content-type is set by ORDERS_API_CONTENT_TYPE"),
        ('{"Host": "x"}', "Host is set with each request; leave it out"),
        ('{"Content-Length": "0"}', "Content-Length is set with each request"),
        ('{"Transfer-Encoding": "chunked"}', "is set with each request"),
        ('{"X-Long": "' + "x" * 9_000 + '"}', "more than 8,192 bytes together"),
    ],
)
def test_headers_that_cannot_be_sent_are_refused_with_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(FieldsUnusable) as caught:
        parse_headers(text)

    assert complaint in str(caught.value)


def test_the_key_travels_in_a_field_of_any_name_or_in_none() -> None:
    assert parse_idempotency_header("X-Request-Id") == "X-Request-Id"
    assert parse_idempotency_header("none") is None


@pytest.mark.parametrize("name", ["two words", "Key:", "Host", "authorization", "Content-Type"])
def test_a_field_that_cannot_carry_the_key_is_refused(name: str) -> None:
    with pytest.raises(FieldsUnusable):
        parse_idempotency_header(name)


def test_no_static_header_takes_the_place_of_the_key() -> None:
    check_apart({"X-Shop": "12"}, "Idempotency-Key")
    check_apart({"Idempotency-Key": "x"}, None)

    with pytest.raises(FieldsUnusable, match="carries the idempotency key"):
        check_apart({"idempotency-key": "x"}, "Idempotency-Key")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/merge-patch+json", "text/csv; charset=utf-8"]
)
def test_a_media_type_is_taken_as_it_is(content_type: str) -> None:
    assert parse_content_type(content_type) == content_type


@pytest.mark.parametrize(
    "content_type", ["json", "a/b/c", "text/xml\r\nX: y", "text /xml", "", "a/b\r;c", "a/b\n;c"]
)
def test_what_is_no_media_type_is_refused(content_type: str) -> None:
    with pytest.raises(FieldsUnusable, match="no media type"):
        parse_content_type(content_type)
