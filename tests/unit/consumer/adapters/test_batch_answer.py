"""What does the API's answer say of each order of a batch?"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.batch_answer import (
    BatchResultsUnusable,
    ResultNames,
    parse_result_names,
    results_in,
)
from consumer.delivery.attempts import (
    Accepted,
    Answered,
    OrderAttempt,
    Refused,
    Unavailable,
)

BY_ID = ResultNames(("results",), "id", "status")
BY_PLACE = ResultNames((), None, "code")


def meaning(status: int, text: bytes) -> OrderAttempt:
    if status < 300:
        return Accepted(status)
    return Refused(status, f"status {status}", text.decode())


def results(answer: object, order_ids: list[str], names: ResultNames) -> Answered | Unavailable:
    return results_in(json.dumps(answer).encode(), order_ids, names, meaning, status=207)


def test_results_are_found_by_id_in_any_order() -> None:
    answer = {"results": [{"id": "b", "status": 422, "why": "no sku"}, {"id": "a", "status": 200}]}

    found = results(answer, ["a", "b"], BY_ID)

    refusal = Refused(422, "status 422", '{"id": "b", "status": 422, "why": "no sku"}')
    assert found == Answered((Accepted(200), refusal))


def test_results_are_found_by_place() -> None:
    found = results([{"code": "201"}, {"code": 409}], ["a", "b"], BY_PLACE)

    assert found == Answered((Accepted(201), Refused(409, "status 409", '{"code": 409}')))


def test_an_id_may_be_a_number() -> None:
    found = results({"results": [{"id": 17, "status": 200}]}, ["17"], BY_ID)

    assert found == Answered((Accepted(200),))


def test_an_order_that_is_not_named_has_no_usable_answer_and_a_strange_one_is_ignored() -> None:
    answer = {"results": [{"id": "a", "status": 200}, {"id": "z", "status": 422}]}

    found = results(answer, ["a", "b"], BY_ID)

    missing = Unavailable(None, "the API's answer does not name this order", may_have_arrived=True)
    assert found == Answered((Accepted(200), missing))


def test_an_order_with_two_different_results_has_no_usable_answer() -> None:
    answer = {"results": [{"id": "a", "status": 200}, {"id": "a", "status": 422}]}

    found = results(answer, ["a"], BY_ID)

    assert isinstance(found, Answered)
    assert isinstance(found.results[0], Unavailable)


@pytest.mark.parametrize("status", [None, True, "yes", 99, 600, 1e3, "٢٠٠", {}])
def test_a_result_without_a_status_is_no_usable_answer(status: object) -> None:
    found = results({"results": [{"id": "a", "status": status}]}, ["a"], BY_ID)

    assert isinstance(found, Answered)
    assert isinstance(found.results[0], Unavailable)


def test_fewer_results_by_place_than_orders_say_nothing_of_any_order() -> None:
    found = results([{"code": 200}], ["a", "b"], BY_PLACE)

    reason = "the API answered 1 results for 2 orders"
    assert found == Unavailable(207, reason, may_have_arrived=True)


@pytest.mark.parametrize("answer", [b"", b"<html>", b"{}", b'{"results":{}}', b"[" * 9999])
def test_an_answer_without_a_list_is_not_understood(answer: bytes) -> None:
    found = results_in(answer, ["a"], BY_ID, meaning, status=207)

    reason = "the API answered 207 without a list of results under 'results'"
    assert found == Unavailable(207, reason, may_have_arrived=True)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["id", "status", "results"]), inner)
    ),
    max_leaves=12,
)


@given(answer=json_values, ids=st.lists(st.text(min_size=1, max_size=3), unique=True, min_size=1))
def test_any_answer_gives_one_result_an_order_or_none_at_all(
    answer: object, ids: list[str]
) -> None:
    for names in (
        BY_ID,
        ResultNames((), "id", "status"),
        ResultNames(("results",), None, "status"),
    ):
        found = results(answer, ids, names)

        assert isinstance(found, Unavailable) or len(found.results) == len(ids)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("results:id,status", BY_ID),
        (":code", BY_PLACE),
        ("data.items:ref,http", ResultNames(("data", "items"), "ref", "http")),
    ],
)
def test_the_setting_names_list_id_and_status(text: str, names: ResultNames) -> None:
    assert parse_result_names(text) == names


@pytest.mark.parametrize("text", ["", "results", "results:", "a..b:s", "a:b,c,d", "a:b:c", "a:,s"])
def test_a_setting_that_names_no_status_is_refused(text: str) -> None:
    with pytest.raises(BatchResultsUnusable, match="LIST:ID,STATUS"):
        parse_result_names(text)
