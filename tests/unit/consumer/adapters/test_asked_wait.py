import time
from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.adapters.asked_wait import (
    LONGEST_SECONDS,
    asked_wait_seconds,
    retry_after_seconds,
)
from consumer.adapters.rate_limit_fields import RATE_LIMIT_FIELDS

NOW = 1_700_000_000.0


def asked(**fields: str) -> float | None:
    named = {name.replace("_", "-"): [value] for name, value in fields.items()}
    return asked_wait_seconds(named, now=NOW)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("5", 5.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("007", 7.0),
        ("99999999999999999999", LONGEST_SECONDS),
        ("9" * 400, LONGEST_SECONDS),
    ],
)
def test_a_retry_after_in_seconds_is_that_many_and_always_finite(
    value: str, seconds: float
) -> None:
    assert asked(retry_after=value) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-1",
        "+3",
        "1e309",
        "1e3",
        "inf",
        "nan",
        "0x10",
        "5 s",
        "5, 6",
        ".5",
        "5.",
        "٣",
        "Mon, 99 Foo 2026 99:99:99 GMT",
        "2026-01-01T00:00:00Z",
        "\x00",
        "9" * 400 + "x",
    ],
)
def test_a_retry_after_that_is_neither_seconds_nor_a_date_asks_for_nothing(value: str) -> None:
    assert asked(retry_after=value) is None


@pytest.mark.parametrize("ahead_seconds", [0, 1, 90, 86_400])
def test_a_date_is_counted_from_the_apis_own_clock(ahead_seconds: int) -> None:
    an_hour_off = NOW + 3600

    seconds = asked(
        retry_after=formatdate(an_hour_off + ahead_seconds, usegmt=True),
        date=formatdate(an_hour_off, usegmt=True),
    )

    assert seconds == ahead_seconds


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_date_without_the_apis_clock_is_counted_from_ours(date: str) -> None:
    seconds = asked(retry_after=formatdate(NOW + 30, usegmt=True), date=date)

    assert seconds == 30


def test_a_date_in_the_past_asks_for_no_wait() -> None:
    assert asked(retry_after="Sun, 06 Nov 1994 08:49:37 GMT") == 0.0


@pytest.mark.parametrize(
    "value",
    ["Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37"],
)
def test_the_old_ways_to_write_a_date_are_read(value: str) -> None:
    assert asked(retry_after=value) == 0.0


def test_a_date_thousands_of_years_ahead_stays_finite() -> None:
    assert asked(retry_after="Fri, 31 Dec 9999 23:59:59 GMT") == LONGEST_SECONDS


def test_of_several_the_longest_wait_counts() -> None:
    fields = {"retry-after": ["3", "soon", "60", "7"]}

    assert retry_after_seconds(fields, now=NOW) == 60.0


@pytest.mark.parametrize(
    ("ratelimit", "seconds"),
    [
        ('"default";r=0;t=30', 30.0),
        ("default;r=0;t=30", 30.0),
        ('"default";r=1;t=30', None),
        ('"a";r=0;t=3, "b";r=0;t=9, "c";r=7;t=100', 9.0),
        ('"default";t=30', None),
        ('"default";r=0', None),
        ('"default";r=0;t=-30', None),
        ('"default";r=0;t=999999999999999', LONGEST_SECONDS),
        ('"default";r="0";t=30', None),
        ('"default";r=0;t=?1', None),
        ("limit=100, remaining=0, reset=50", 50.0),
        ("limit=100, remaining=3, reset=50", None),
        ('("a" "b");r=0;t=1', None),
        ("garbage;;;", None),
        ("", None),
    ],
)
def test_no_quota_left_waits_for_the_reset_that_ratelimit_names(
    ratelimit: str, seconds: float | None
) -> None:
    assert asked(ratelimit=ratelimit) == seconds


def test_no_quota_left_and_no_reset_named_waits_for_the_policys_window() -> None:
    seconds = asked(
        ratelimit='"burst";r=5, "day";r=0', ratelimit_policy='"burst";q=9;w=1, "day";q=9;w=60'
    )

    assert seconds == 60.0


def test_retry_after_goes_before_ratelimit_unless_it_is_unreadable() -> None:
    assert asked(retry_after="2", ratelimit='"default";r=0;t=30') == 2.0
    assert asked(retry_after="soon", ratelimit='"default";r=0;t=30') == 30.0


def test_an_answer_without_such_fields_asks_for_nothing() -> None:
    assert asked_wait_seconds({}, now=time.time()) is None


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "30"}, 30.0),
        ({"RateLimit-Remaining": "0, 0;w=60", "RateLimit-Reset": "30, 40"}, 30.0),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": f"{NOW + 8:.0f}"}, 8.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"}, 30.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1.5"}, 1.5),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOW + 42:.0f}"}, 42.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOW + 42.25}"}, 42.25),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{(NOW + 42) * 1000:.0f}"}, 42.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOW - 9:.0f}"}, 0.0),
        ({"X-RateLimit-Reset": formatdate(NOW + 60, usegmt=True)}, 60.0),
        ({"X-RateLimit-Reset": "2023-11-14T22:14:20Z"}, 60.0),
        ({"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": f"{NOW + 5:.0f}"}, 5.0),
        ({"X-RateLimit-Reset-After": "2.5", "X-RateLimit-Reset": f"{NOW + 9:.0f}"}, 2.5),
        ({"X-RateLimit-Reset": "30"}, 30.0),
        ({"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "30"}, None),
        ({"X-RateLimit-Remaining": "0"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "-30"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1e30"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9" * 20}, LONGEST_SECONDS),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9" * 400}, None),
        ({"X-RateLimit-Reset": "30", "RateLimit": '"a";r=0;t=50'}, 50.0),
        ({"X-RateLimit-Reset": "30", "Retry-After": "2"}, 2.0),
    ],
)
def test_fields_from_before_the_standard_are_read_as_apis_write_them(
    fields: dict[str, str], seconds: float | None
) -> None:
    named = {name.lower(): [value] for name, value in fields.items()}

    assert asked_wait_seconds(named, now=NOW) == seconds


def test_a_reset_at_a_date_is_counted_from_the_apis_own_clock() -> None:
    an_hour_off = NOW + 3600

    seconds = asked(
        x_ratelimit_reset=f"{an_hour_off + 20:.0f}", date=formatdate(an_hour_off, usegmt=True)
    )

    assert seconds == 20.0


odd = st.text(st.characters(max_codepoint=255), max_size=60) | st.from_regex(
    r'[ab"]{1,3};[rtw]=[0-9?":@.()-]{1,12}(;t=[0-9]{1,20})?', fullmatch=True
)


@given(st.lists(odd, max_size=3), st.lists(odd, max_size=3), st.lists(odd, max_size=2), odd)
@example(["Thu, 01 Jan 0000 00:00:00 GMT"], [], [], "")
@example(["Thu, 01 Jan 1970 00:00:00 +9999"], [], [], "")
@example([], ['"a";r=0;t=@99999999999999'], [], "")
@example([], ['a;t=%"%ff"'], [], "")
def test_whatever_the_fields_say_the_wait_is_none_or_sane(
    retry_after: list[str], ratelimit: list[str], policy: list[str], date: str
) -> None:
    fields = {
        "retry-after": retry_after,
        "ratelimit": ratelimit,
        "ratelimit-policy": policy,
        "date": [date],
    }

    seconds = asked_wait_seconds(fields, now=NOW)

    assert seconds is None or 0.0 <= seconds <= LONGEST_SECONDS


@given(
    st.dictionaries(
        st.sampled_from(RATE_LIMIT_FIELDS),
        st.lists(
            odd
            | st.from_regex(r"[0-9]{1,30}(\.[0-9]{1,5})?(, ?[0-9]{1,9})?", fullmatch=True)
            | st.datetimes().map(str),
            max_size=3,
        ),
    )
)
@example({"x-ratelimit-reset": ["0001-01-01T00:00:00+23:59"]})
@example({"x-ratelimit-reset": ["9999-12-31T23:59:59-23:59"]})
def test_whatever_the_rate_limit_fields_say_the_wait_is_none_or_sane(
    fields: dict[str, list[str]],
) -> None:
    seconds = asked_wait_seconds(fields, now=NOW)

    assert seconds is None or 0.0 <= seconds <= LONGEST_SECONDS
