import json
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.request_target import CUSTOMER_ID_CHARACTERS, NoTarget, RequestTarget
from consumer.delivery.attempts import OrderRequest

UPLOAD = "0123456789abcdef0123"


def order_of(order_id: str = "A-1", body: bytes = b"{}") -> OrderRequest:
    return OrderRequest(UPLOAD, 7, order_id, body, idempotency_key="k")


def body_of(customer_id: object) -> bytes:
    return json.dumps({"order_id": "A-1", "customer_id": customer_id}).encode()


@pytest.mark.parametrize(
    ("template", "target"),
    [
        ("/orders/{order_id}", "/orders/A-1"),
        ("/orders", "/orders"),
        ("/u/{upload}/{order_id}?dry=no", f"/u/{UPLOAD}/A-1?dry=no"),
        ("/c/{customer_id}/o/{order_id}/put", "/c/C%2F1/o/A-1/put"),
        ("/{order_id}{customer_id}", "/A-1C%2F1"),
    ],
)
def test_each_placeholder_is_replaced_and_the_rest_kept(template: str, target: str) -> None:
    assert RequestTarget(template).of(order_of(body=body_of("C/1"))) == target


@pytest.mark.parametrize(
    ("template", "names_it"),
    [("/o/{order_id}", True), ("/o", False), ("/o/{customer_id}/{upload}", False)],
)
def test_it_says_whether_each_order_has_a_target_of_its_own(template: str, names_it: bool) -> None:
    assert RequestTarget(template).names_the_order is names_it


@given(st.text(min_size=1), st.text(min_size=1, max_size=CUSTOMER_ID_CHARACTERS))
def test_whatever_the_ids_the_target_is_one_path_whose_segments_come_back(
    order_id: str, customer_id: str
) -> None:
    template = RequestTarget("/c/{customer_id}/o/{order_id}/put")

    target = template.of(order_of(order_id, body_of(customer_id)))

    if customer_id in {".", ".."}:
        assert isinstance(target, NoTarget)
    else:
        assert isinstance(target, str)
        assert target.isascii()
        assert not set(target) & set(" ?#&;+\r\n\t\x00")
        _, c, customer, o, order, put = target.split("/")
        assert (c, o, put) == ("c", "o", "put")
        assert unquote(customer, errors="surrogatepass") == customer_id
        assert unquote(order, errors="surrogatepass") == order_id


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"{}", "no customer_id"),
        (b"[1]", "no customer_id"),
        (b"not JSON", "no customer_id"),
        (b'{"customer_id": ' + b"[" * 100_000, "no customer_id"),
        (body_of(""), "no customer_id"),
        (body_of(17), "no customer_id"),
        (body_of(".."), "would change the API's address"),
        (body_of("x" * 257), "more than 256 characters"),
    ],
)
def test_an_order_without_a_usable_customer_has_no_target(body: bytes, complaint: str) -> None:
    target = RequestTarget("/c/{customer_id}/{order_id}").of(order_of(body=body))

    assert isinstance(target, NoTarget)
    assert complaint in target.reason


def test_the_body_is_read_only_where_the_template_needs_it() -> None:
    assert RequestTarget("/o/{order_id}").of(order_of(body=b"not JSON")) == "/o/A-1"
