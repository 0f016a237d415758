from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from orders.sending_hours import HoursError, SendingHours, parse_hours

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400


def shown_inside(hours: SendingHours, moment: float) -> bool:
    """Does the wall clock show a time of the hours?"""
    clock = datetime.fromtimestamp(moment, BERLIN)
    minute = clock.hour * 60 + clock.minute
    return any(
        (span.weekday == clock.weekday() and span.from_minute <= minute < span.until_minute)
        or (
            (span.weekday + 1) % 7 == clock.weekday()
            and span.from_minute <= minute + 1_440 < span.until_minute
        )
        for span in hours.ranges
    )


@pytest.mark.parametrize("first_day", ["2027-03-26", "2027-10-29"])
@pytest.mark.parametrize(
    "text",
    [
        *("22:00-06:00", "02:30-04:00", "01:00-02:30", "02:15-02:45", "02:00-03:00"),
        *("Sat 23:00-02:30", "Sun 03:00-04:00", "Mon-Fri 08:00-18:00, Sun 01:30-02:30"),
    ],
)
def test_it_is_open_while_the_wall_clock_shows_its_hours_even_when_that_changes(
    text: str, first_day: str
) -> None:
    hours = parse_hours(text)
    start = datetime.fromisoformat(first_day).replace(tzinfo=BERLIN).timestamp()

    for moment in range(int(start), int(start) + 4 * DAY, 300):
        window = hours.open_at(moment, BERLIN, margin_seconds=0.0)
        assert (window.start <= moment) == shown_inside(hours, moment), moment
        assert shown_inside(hours, window.start)
        assert not shown_inside(hours, window.end)


@pytest.mark.parametrize("day", range(1, 29))
def test_hours_that_a_clock_change_skips_open_a_week_later(day: int) -> None:
    hours = parse_hours("Sun 02:30-03:00")  # on 28 March the clock goes from 02:00 to 03:00
    moment = datetime(2027, 3, day, 12, tzinfo=BERLIN).timestamp()

    window = hours.open_at(moment, BERLIN, margin_seconds=1.0)

    opens = datetime.fromtimestamp(window.start, BERLIN)
    assert (opens.hour, opens.minute, opens.weekday()) == (2, 30, 6)
    assert opens.day == (min(d for d in (7, 14, 21, 35) if d > day) if day < 21 else 4)


def test_an_open_time_that_ends_within_the_margin_is_over() -> None:
    hours = parse_hours("10:00-11:00")
    almost_eleven = datetime(2027, 6, 1, 10, 59, 59, 500_000, tzinfo=UTC).timestamp()

    window = hours.open_at(almost_eleven, UTC, margin_seconds=1.0)

    assert window.start == datetime(2027, 6, 2, 10, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("text", ["", "always", " "])
def test_no_hours_are_all_hours(text: str) -> None:
    window = parse_hours(text).open_at(5.0, UTC, margin_seconds=1.0)

    assert (window.start, window.end) == (5.0, float("inf"))


@pytest.mark.parametrize(
    "text",
    ["22-6", "22:00", "Mon", "22:00-22:00", "24:00-24:00", "25:00-26:00", "Mo 08:00-09:00", "x"],
)
def test_what_are_no_hours_is_said_in_one_sentence(text: str) -> None:
    with pytest.raises(HoursError) as raised:
        parse_hours(text)

    assert text.rsplit(maxsplit=1)[-1] in str(raised.value)
    assert "write" in str(raised.value)
