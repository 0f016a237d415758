"""Does a request leave at its moment, and is it known when it did?"""

import pytest

from consumer.sending import departure
from consumer.sending.departure import AWAKE_SECONDS, Departure


class Waited:
    """In the place of `time`: sleeping takes no time, and each look at the clock a little."""

    STEP = 0.00001

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        self.now += self.STEP
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Waited:
    clock = Waited()
    monkeypatch.setattr(departure, "time", clock)
    return clock


def test_the_last_bit_of_the_wait_is_spent_awake(clock: Waited) -> None:
    leaving = Departure(clock.now + 0.002)

    leaving.wait()

    assert sum(clock.slept) == pytest.approx(0.002 - AWAKE_SECONDS, abs=2 * Waited.STEP)
    assert leaving.late_seconds == pytest.approx(0.0, abs=2 * Waited.STEP)


def test_a_moment_that_has_passed_is_not_waited_for_and_its_lateness_is_known(
    clock: Waited,
) -> None:
    leaving = Departure(clock.now - 0.03)

    leaving.wait()

    assert clock.slept == []
    assert leaving.late_seconds == pytest.approx(0.03, abs=3 * Waited.STEP)


def test_what_a_request_takes_to_leave_counts_from_when_it_began(clock: Waited) -> None:
    leaving = Departure(clock.now + 0.002)
    clock.now += 0.007
    leaving.wait()

    clock.now += 0.004

    assert leaving.since_seconds() == pytest.approx(0.004, abs=3 * Waited.STEP)
    assert leaving.late_seconds == pytest.approx(0.005, abs=3 * Waited.STEP)
