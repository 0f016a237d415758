import pytest

from orders_cli.quantities import count, duration, per_second


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (12.3, "12 s"),
        (200, "3 min 20 s"),
        (16_200, "4.5 h"),
        (1_000_000, "11.6 days"),
    ],
)
def test_a_length_of_time_is_as_precise_as_a_person_wants_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_one_thing_has_no_plural() -> None:
    assert count(1, "order") == "1 order"
    assert count(1200, "order") == "1,200 orders"


@pytest.mark.parametrize(
    ("rate", "words"),
    [(None, "unknown"), (0.9984, "0.998/s"), (0.0, "0/s"), (2 / 3600, "2/h")],
)
def test_a_measured_pace_is_put_with_three_digits(rate: float | None, words: str) -> None:
    assert per_second(rate) == words
