"""The history shows how fast orders were sent; idle time does not lower the pace."""

import itertools

from ledger.pace.history import KEPT_SECONDS, History, Measure, Sample, extended, measured


def steady(seconds: int, *, per_second: float = 1.0, waiting: int = 10_000) -> tuple[Sample, ...]:
    return tuple(Sample(t, int(t * per_second), waiting) for t in range(0, seconds + 1, 10))


def test_samples_are_thinned_and_old_ones_dropped() -> None:
    history = History()

    for second in range(2_000):
        history = extended(history, Sample(float(second), second, 1))

    times = [sample.at for sample in history.samples]
    assert all(b - a >= 10 for a, b in itertools.pairwise(times))
    assert times[-1] - times[0] <= KEPT_SECONDS
    assert len(times) == 91


def test_the_pace_achieved_is_that_of_the_last_minute() -> None:
    samples = (*steady(300), Sample(310, 320, 100), Sample(320, 340, 100))

    achieved = measured(samples, Sample(370, 440, 50), interval_seconds=0.5)

    assert achieved == Measure((440 - 320) / 60, 60)


def test_idle_time_is_no_part_of_the_measure() -> None:
    idle = tuple(Sample(t, 0, 0) for t in range(0, 100, 10))

    achieved = measured(idle, Sample(100, 50, 100), interval_seconds=0.2)

    assert achieved == Measure(5.0, 10)


def test_the_rate_of_a_drain_that_began_five_seconds_ago_is_given_over_those() -> None:
    history, before = History(), None
    for second in range(128):
        sent = max(0, second - 123)
        sample = Sample(second, sent, 100 - sent if second >= 123 else 0)
        history, before = extended(history, sample, before), sample

    achieved = measured(history.samples, Sample(128, 5, 95), interval_seconds=1.0)

    assert achieved == Measure(5 / 6, 6)  # nothing waited yet at second 122


def test_intermittent_work_adds_no_samples() -> None:
    history, before = History(), None
    for second in range(900):
        sample = Sample(second, second, 5 if second % 2 else 0)
        history, before = extended(history, sample, before), sample

    assert len(history.samples) == 90


def test_a_slow_pace_is_measured_over_ten_of_its_intervals() -> None:
    samples = tuple(Sample(t, t // 60, 5) for t in range(0, 800, 10))

    achieved = measured(samples, Sample(800, 13, 5), interval_seconds=60)

    assert achieved == Measure((13 - 200 // 60) / 600, 600)


def test_without_samples_nothing_is_known() -> None:
    assert measured((), Sample(5, 0, 0), interval_seconds=1) is None


def test_a_sample_of_another_clock_in_the_future_is_passed_over() -> None:
    samples = (Sample(0, 0, 9), Sample(500, 5, 4))

    assert measured(samples, Sample(60, 6, 3), interval_seconds=1) == Measure(0.1, 60)
