import socket
import struct
import time

import pytest

from sandbox.api.kernel_stamps import ArrivalClock

SO_TIMESTAMPNS = 35


def stamp(wall_seconds: float) -> list[tuple[int, int, bytes]]:
    seconds = int(wall_seconds)
    content = struct.pack("@qq", seconds, int((wall_seconds - seconds) * 1e9))
    return [(socket.SOL_SOCKET, SO_TIMESTAMPNS, content)]


def test_without_a_stamp_it_is_the_time_of_reading() -> None:
    before = time.monotonic()

    arrival = ArrivalClock().arrival([])

    assert before <= arrival <= time.monotonic()


def test_an_arrival_is_never_later_than_its_reading() -> None:
    arrival = ArrivalClock().arrival(stamp(time.time() + 0.0005))

    assert arrival <= time.monotonic()


@pytest.mark.parametrize("set_by_seconds", [3_600.0, -3_600.0])
def test_a_stamp_from_before_the_wall_clock_was_set_is_not_believed(set_by_seconds: float) -> None:
    before = time.monotonic()

    arrival = ArrivalClock().arrival(stamp(time.time() + set_by_seconds))

    assert before <= arrival <= time.monotonic()
