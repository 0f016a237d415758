import pytest

from consumer.adapters.batch_answer import ResultNames
from sandbox.api.taken_requests import OrdersNamed, TakenRequests


@pytest.mark.parametrize(
    ("target", "order_id"),
    [
        ("/orders/A-1", "A-1"),
        ("/orders/A-1?x=/orders/B", "A-1"),
        ("/orders/%2E%2E", ".."),
        ("/orders/..", ".."),
        ("/orders/a%2Fb%20c", "a/b c"),
        ("/orders/%C3%A4+", "ä+"),
        ("/orders/%FF", "\ufffd"),
        ("/orders/", None),
        ("/orders", None),
        ("/orders/a/b", None),
        ("/", None),
        ("http://other/orders/a", None),
    ],
)
def test_the_order_id_is_the_decoded_segment_of_the_path_as_received(
    target: str, order_id: str | None
) -> None:
    assert TakenRequests().order_id_in(target) == order_id
    assert TakenRequests().is_at(target) is (order_id is not None)


@pytest.mark.parametrize(
    ("path", "target", "order_id"),
    [
        ("/v1/{customer_id}/o-{order_id}/put?dry=no", "/v1/C%2F1/o-A%201/put?dry=no", "A 1"),
        ("/v1/{customer_id}/o-{order_id}/put", "/v1/C/D/o-A/put", None),
        ("/v1.0/{order_id}", "/v1x0/A", None),
    ],
)
def test_the_order_id_is_found_wherever_the_path_has_it(
    path: str, target: str, order_id: str | None
) -> None:
    assert TakenRequests(path=path).order_id_in(target) == order_id


@pytest.mark.parametrize(
    ("target", "body", "order_id"),
    [
        ("/orders", b'{"order_id": "A"}', "A"),
        ("/orders?dry=no", b'{"by": "shop", "order": {"order_id": "A"}}', "A"),
        ("/orders", b'{"order_id": 1}', "1"),
        ("/orders", b'{"order_id": true}', None),
        ("/orders", b"not JSON", None),
        ("/elsewhere", b'{"order_id": "A"}', None),
    ],
)
def test_where_no_path_names_an_order_its_body_does(
    target: str, body: bytes, order_id: str | None
) -> None:
    assert TakenRequests("POST", "/orders").orders_of(target, body) == OrdersNamed(order_id)


def test_orders_of_ones_own_have_their_id_in_another_field() -> None:
    takes = TakenRequests("PUT", "/batch", id_field="number")

    named = takes.orders_of("/batch", b'[{"number": 17, "order_id": "A"}, {"number": "B"}]')

    assert named == OrdersNamed(None, ("17", "B"))


def test_a_path_that_names_the_order_goes_before_its_body() -> None:
    assert TakenRequests().orders_of("/orders/A", b'{"order_id": "B"}') == OrdersNamed("A")


@pytest.mark.parametrize(
    "body",
    [
        b'[{"order_id": "A"}, {"order_id": "B"}]',
        b'[{"line": 1, "order": {"order_id": "A"}}, {"order_id": "B"}]',
        b'{"order_id": "A"}\n{"order_id": "B"}\n',
    ],
)
def test_an_array_or_several_lines_are_a_batch(body: bytes) -> None:
    assert TakenRequests("PUT", "/batch").orders_of("/batch", body) == OrdersNamed(None, ("A", "B"))


def test_where_each_order_is_answered_for_one_line_is_a_batch_too() -> None:
    takes = TakenRequests("PUT", "/batch", results=ResultNames((), None, "status"))

    assert takes.orders_of("/batch", b'{"order_id": "A"}\n') == OrdersNamed(None, ("A",))
