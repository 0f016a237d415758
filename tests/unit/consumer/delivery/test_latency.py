"""By how much do the API's answers vary?"""

import pytest

from consumer.delivery.latency import ANSWERS, ANSWERS_LEAST, Jitter


def jitter_of(*latencies: float) -> float | None:
    jitter = Jitter()
    for seconds in latencies:
        jitter.add(seconds)
    return jitter.seconds


def test_it_is_not_known_after_a_few_answers() -> None:
    assert jitter_of(*[0.1] * (ANSWERS_LEAST - 1)) is None


def test_answers_that_all_take_as_long_do_not_vary() -> None:
    assert jitter_of(*[2.5] * ANSWERS) == 0.0


def test_a_few_slow_answers_are_no_jitter() -> None:
    assert jitter_of(*[0.1] * 30, 0.9, 0.9) == 0.0


def test_most_answers_lie_so_far_apart() -> None:
    latencies = [0.1 + 0.06 * n / (ANSWERS - 1) for n in range(ANSWERS)]

    assert jitter_of(*latencies) == pytest.approx(0.9 * 0.06, rel=0.05)


def test_a_path_that_is_quiet_again_is_seen_after_so_many_answers() -> None:
    assert jitter_of(*[0.1, 0.2] * ANSWERS, *[0.1] * ANSWERS) == 0.0
