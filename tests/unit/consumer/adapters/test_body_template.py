import json
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.body_template import WHOLE, BodyTemplateUnusable, parse_body_template
from consumer.delivery.attempts import OrderRequest

UPLOAD = "0123456789abcdef0123"


def order_of(order_id: str = "A-1", body: bytes = b'{"a": 1}') -> OrderRequest:
    return OrderRequest(UPLOAD, 7, order_id, body, idempotency_key="k")


def filled(template: str, order: OrderRequest, content_type: str = "application/json") -> bytes:
    return parse_body_template(template, content_type=content_type).of(order)


def test_without_a_template_the_very_bytes_are_sent() -> None:
    order = order_of()

    assert parse_body_template("{body}", content_type="application/json") is WHOLE
    assert WHOLE.of(order) is order.body


@pytest.mark.parametrize(
    ("template", "body"),
    [
        ('{"order": {body}}', b'{"order": {"a": 1}}'),
        ("[{body}]", b'[{"a": 1}]'),
        (
            '{"id": {order_id}, "n": {line}, "from": "file {upload}:{line}", "o": {body}}',
            b'{"id": "A-1", "n": 7, "from": "file 0123456789abcdef0123:7", "o": {"a": 1}}',
        ),
        ('{"\\"\\\\": "{order_id}", "o":{body}}', b'{"\\"\\\\": "A-1", "o":{"a": 1}}'),
    ],
)
def test_a_template_wraps_the_order_and_keeps_its_own_bytes(template: str, body: bytes) -> None:
    assert filled(template, order_of()) == body


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(min_size=1), st.dictionaries(st.text(), json_values, max_size=4))
def test_whatever_the_order_a_json_template_gives_the_json_that_was_asked_for(
    order_id: str, fields: dict[str, object]
) -> None:
    body = json.dumps(fields, ensure_ascii=False).encode(errors="surrogatepass")
    template = '{"id": {order_id}, "name": "order {order_id}!", "order": {body}}'

    made = filled(template, order_of(order_id, body), "application/vnd.shop+json; v=1")

    parsed = json.loads(made.decode(errors="surrogatepass"))
    assert parsed == {"id": order_id, "name": f"order {order_id}!", "order": fields}
    assert body in made


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.text(max_size=30))
def test_a_form_carries_each_value_encoded_whole(order_id: str, content: str) -> None:
    body = json.dumps({"content": content}).encode()

    made = filled(
        "id={order_id}&order={body}&line={line}",
        order_of(order_id, body),
        "application/x-www-form-urlencoded",
    )

    assert parse_qs(made.decode("ascii"), strict_parsing=True) == {
        "id": [order_id],
        "order": [body.decode()],
        "line": ["7"],
    }


def test_any_other_type_has_the_values_as_they_are() -> None:
    assert filled("{order_id}\t{line}\t{body}\n", order_of('"x"'), "text/plain") == (
        b'"x"\t7\t{"a": 1}\n'
    )


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{}", "contain {body} exactly once"),
        ("[{body}, {body}]", "contain {body} exactly once"),
        ('{"order": {body}', "does not make JSON"),
        ('{"order": {body}} x', "does not make JSON"),
        ('{"order": {body}, "x": NaN}', "does not make JSON"),
        ("[" * 100_000 + "{body}", "does not make JSON"),
        ('{"order": "{body}"}', "take the quotes around it away"),
        ('{"order": {body}, "c": "{customer_id}"}', "{customer_id} is no placeholder; there are"),
        ('{"order": {body}, "c": "\\{order_id}"}', "does not make JSON"),
        ('{"\udcff": {body}}', "not UTF-8"),
    ],
)
def test_a_template_that_gives_no_body_is_refused_with_a_sentence(
    template: str, complaint: str
) -> None:
    with pytest.raises(BodyTemplateUnusable) as caught:
        parse_body_template(template, content_type="application/json")

    assert complaint in str(caught.value)
