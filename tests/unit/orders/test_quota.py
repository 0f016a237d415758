from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from orders.quota import Quota, QuotaError, parse_quotas, parse_time_zone

BERLIN = ZoneInfo("Europe/Berlin")


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_quotas_are_read_and_written_alike() -> None:
    quotas = parse_quotas("50000/d, 10000/h,600/60m")

    assert quotas == (Quota(50_000, "d"), Quota(10_000, "h"), Quota(600, "m", 60))
    assert [str(quota) for quota in quotas] == ["50000/d", "10000/h", "600/60m"]
    assert [quota.is_rolling for quota in quotas] == [False, False, True]


@pytest.mark.parametrize("text", ["", "none", " "])
def test_no_quota_is_none(text: str) -> None:
    assert parse_quotas(text) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("60", "is not a quota"),
        ("0/m", "is not a quota"),
        ("60/s", "is not a quota"),
        ("1.5/h", "is not a quota"),
        ("60/m,", "is not a quota"),
        ("60/m,50/m", "two quotas for one window"),
        ("5/32d", "out of bounds"),
        ("9999999999/d", "out of bounds"),
    ],
)
def test_what_is_no_quota_is_said_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(QuotaError, match=words):
        parse_quotas(text)


@pytest.mark.parametrize("name", ["Europe/Berlyn", "../etc", "", "Mars"])
def test_a_time_zone_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(QuotaError, match="there is no time zone"):
        parse_time_zone(name)


@pytest.mark.parametrize(
    ("at", "start", "end"),
    [
        ("2027-03-28T12:00+02:00", "2027-03-28T00:00+01:00", "2027-03-29T00:00+02:00"),
        ("2027-10-31T12:00+01:00", "2027-10-31T00:00+02:00", "2027-11-01T00:00+01:00"),
        ("2027-06-01T23:59:59+02:00", "2027-06-01T00:00+02:00", "2027-06-02T00:00+02:00"),
        ("2027-06-02T00:00+02:00", "2027-06-02T00:00+02:00", "2027-06-03T00:00+02:00"),
    ],
)
def test_a_day_is_the_zones_with_its_clock_changes(at: str, start: str, end: str) -> None:
    window = Quota(1, "d").window_at(moment(at), BERLIN)

    assert (window.start, window.end) == (moment(start), moment(end))


def test_a_day_whose_midnight_comes_twice_or_never_is_one_window_beside_the_next() -> None:
    cairo = ZoneInfo("Africa/Cairo")  # the clock goes to 01:00 at midnight, and back to 23:00
    for first, days in (("2027-04-28", 4), ("2027-10-27", 5)):
        at = datetime.fromisoformat(first).replace(tzinfo=cairo).timestamp()
        windows = [Quota(1, "d").window_at(at + 600.0 * n, cairo) for n in range(days * 144)]

        for before, after in pairwise(windows):
            assert after in (before, Quota(1, "d").window_at(before.end, cairo))
            assert after == before or after.start == before.end
        assert all(w.start <= at + 600.0 * n < w.end for n, w in enumerate(windows))


def test_hours_and_minutes_of_a_zone_with_half_an_hour_begin_at_its_full_hour() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")

    window = Quota(1, "h").window_at(moment("2027-06-01T10:45+05:30"), kolkata)

    assert window.start == moment("2027-06-01T10:00+05:30")
    assert window.end == moment("2027-06-01T11:00+05:30")
