import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.answer_table import (
    PUBLISHED,
    AnswerTable,
    Meaning,
    StatusesUnusable,
    parse_statuses,
    published_meaning,
)


def test_statuses_are_read_with_their_meanings() -> None:
    replaced = parse_statuses(" 404=accepted, 422 = retry,202=refused,412=conflict ")

    assert replaced == {
        404: Meaning.ACCEPTED,
        422: Meaning.RETRY,
        202: Meaning.REFUSED,
        412: Meaning.CONFLICT,
    }


@given(st.integers(-1, 10_000))
def test_a_status_that_is_not_replaced_means_what_the_published_table_says(status: int) -> None:
    table = AnswerTable({404: Meaning.ACCEPTED})

    expected = Meaning.ACCEPTED if status == 404 else published_meaning(status)
    assert table.meaning(status) is expected
    assert PUBLISHED.meaning(status) is published_meaning(status)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("404", "'404' is no STATUS=MEANING; write for example"),
        ("404=accepted;422=retry", "is no STATUS=MEANING"),
        ("404=accepted,", "'' is no STATUS=MEANING"),
        ("4xx=retry", "is no STATUS=MEANING"),
        ("٤٠٤=retry", "is no STATUS=MEANING"),
        ("404=gone", "404 cannot mean gone; it can mean accepted, refused,"),
        ("404=retry,404=refused", "404 is named twice"),
        ("429=accepted", "the meaning of 429 is fixed"),
        ("401=refused", "the meaning of 401 is fixed"),
        ("100=accepted", "the meaning of 100 is fixed"),
        ("999=accepted", "the meaning of 999 is fixed"),
        ("403=accepted", "403 cannot mean accepted"),
        ("500=accepted", "500 cannot mean accepted; it can mean refused,"),
        ("503=refused", "503 cannot mean refused; it can mean retry, throttled"),
        ("408=accepted", "408 cannot mean accepted"),
        ("307=accepted", "307 cannot mean accepted"),
        ("200=unauthorized", "200 cannot mean unauthorized"),
    ],
)
def test_a_status_that_cannot_be_read_or_must_not_mean_that_is_refused(
    text: str, complaint: str
) -> None:
    with pytest.raises(StatusesUnusable, match=complaint):
        parse_statuses(text)


@given(st.integers(100, 999))
def test_no_answer_of_a_gateway_a_limit_or_the_sign_in_can_settle_an_order(status: int) -> None:
    allowed = set()
    for meaning in Meaning:
        try:
            allowed.add(parse_statuses(f"{status}={meaning.value}")[status])
        except StatusesUnusable:
            continue

    if status in {401, 408, 425, 429, 502, 503, 504}:
        assert not allowed & {Meaning.ACCEPTED, Meaning.REFUSED, Meaning.CONFLICT}
    if status >= 500:
        assert Meaning.ACCEPTED not in allowed
    if allowed:
        assert published_meaning(status) in allowed
