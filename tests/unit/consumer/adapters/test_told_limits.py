import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.rate_limit_fields import RATE_LIMIT_FIELDS
from consumer.adapters.told_limits import limits_told


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, ""),
        (
            {"RateLimit-Policy": '"a";q=60;w=60', "RateLimit": '"a";r=12;t=9'},
            "60 a minute, 12 left",
        ),
        ({"RateLimit": "limit=100, remaining=3, reset=50"}, "100 allowed, 3 left"),
        (
            {
                "RateLimit-Policy": '"burst";q=5;w=10, "day";q=50000;w=86400',
                "RateLimit": '"day";r=49999',
            },
            "50,000 a day, 49,999 left; 5 in 10 s",
        ),
        ({"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0"}, "60 allowed, 0 left"),
        ({"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "7"}, "100 allowed, 7 left"),
        ({"X-Rate-Limit-Remaining": "7"}, "7 left"),
        ({"X-RateLimit-Limit": "<b>many</b>", "X-RateLimit-Remaining": "-1"}, ""),
        ({"X-RateLimit-Limit": "9" * 20}, ""),
        ({"RateLimit": '"a";r=1' + ', "b";r=1' * 1_000}, ""),
    ],
)
def test_what_an_answer_tells_about_limits_is_put_in_a_few_words(
    fields: dict[str, str], told: str
) -> None:
    assert limits_told({name.lower(): [value] for name, value in fields.items()}) == told


values = st.text(st.characters(max_codepoint=255), max_size=60) | st.from_regex(
    r'("[ab]";[qrwt]=[0-9]{1,18}(;[qrwt]=[0-9]{1,18}){0,3}(, )?){1,4}|[0-9]{1,25}', fullmatch=True
)


@given(st.dictionaries(st.sampled_from(RATE_LIMIT_FIELDS), st.lists(values, max_size=3)))
def test_whatever_the_fields_hold_only_a_few_numbers_of_them_are_told(
    fields: dict[str, list[str]],
) -> None:
    told = limits_told(fields)

    assert re.fullmatch(r"[0-9a-z,; ]*", told)
    assert len(told) < 250
