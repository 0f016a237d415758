"""Is the clock that sends the one that is watched?"""

import pytest

from consumer.sending.clock import ERROR_SECONDS, AnchoredClock

START = 1_000_000.0


class Machine:
    """A machine: its true time, what its wall clock is ahead by, and for how long it was off."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.ahead = 0.0
        self.suspended = 0.0
        self.clock = AnchoredClock(self.wall, self.monotonic)

    @property
    def true(self) -> float:
        return START + self.passed

    def wall(self) -> float:
        return self.true + self.ahead

    def monotonic(self) -> float:
        return 77.0 + self.passed - self.suspended

    def hears(self, calls: int = 40) -> None:
        """So many calls of the ledger, whose time is the true one, at any moments of a second."""
        for _ in range(calls):
            self.passed += 0.471
            asked, date = self.monotonic(), float(int(self.true + 0.002))
            self.passed += 0.004
            self.clock.heard(asked, self.monotonic(), date)

    @property
    def error(self) -> float:
        return self.clock.now() - self.true


def test_a_small_correction_of_the_wall_clock_moves_nothing() -> None:
    machine = Machine()

    machine.ahead = -0.1

    assert machine.error == pytest.approx(0.0)


@pytest.mark.parametrize("step", [3.0, -3.0, 0.3, 3_600.0])
def test_a_step_of_the_wall_clock_is_followed(step: float) -> None:
    machine = Machine()
    machine.ahead = step

    assert machine.error == pytest.approx(step)

    machine.ahead = 0.0

    assert machine.error == pytest.approx(0.0)


def test_a_machine_that_was_suspended_knows_what_time_it_is() -> None:
    machine = Machine()
    machine.hears()

    machine.passed += 10.0
    machine.suspended += 10.0

    assert machine.error == pytest.approx(0.0)
    machine.hears()
    assert machine.error == pytest.approx(0.0)


@pytest.mark.parametrize("ahead", [0.5, -0.5, 3.0, -3.0, 10.0, 86_400.0])
def test_a_wall_clock_that_is_proven_wrong_is_not_followed(ahead: float) -> None:
    machine = Machine()
    machine.ahead = ahead
    assert machine.error == pytest.approx(ahead)

    machine.hears()

    assert abs(machine.error) < ERROR_SECONDS


def test_a_right_clock_is_left_alone_whatever_the_ledger_takes() -> None:
    machine = Machine()

    for seconds in (0.0, 0.5, 3.0, 0.1):
        machine.clock.heard(machine.monotonic() - seconds, machine.monotonic(), START)

    assert machine.error == pytest.approx(0.0)
