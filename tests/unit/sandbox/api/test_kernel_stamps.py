import socket
import struct
import time

import pytest

from sandbox.api.kernel_stamps import ANCILLARY_BYTES, ArrivalClock, ask_for_stamps
from tests.support.eventually import eventually

SO_TIMESTAMPNS = 35
OVERSLEPT_SECONDS = 0.05
STAMPS_COME_WITHIN_SECONDS = 5.0


def stamp(wall_seconds: float) -> list[tuple[int, int, bytes]]:
    seconds = int(wall_seconds)
    content = struct.pack("@qq", seconds, int((wall_seconds - seconds) * 1e9))
    return [(socket.SOL_SOCKET, SO_TIMESTAMPNS, content)]


def test_an_arrival_is_that_of_the_kernel_however_late_it_is_read() -> None:
    clock = ArrivalClock()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ask_for_stamps(listener)
        with socket.create_connection(listener.getsockname()) as client:
            connection, _ = listener.accept()
            with connection:
                wait_for_stamps(client, connection)
                before = time.monotonic()
                client.sendall(b"x")
                after = time.monotonic()
                time.sleep(OVERSLEPT_SECONDS)  # the process gets no processor

                _, ancillary, _, _ = connection.recvmsg(1, ANCILLARY_BYTES)

    assert before - 0.005 <= clock.arrival(ancillary) <= after + 0.005


def wait_for_stamps(client: socket.socket, connection: socket.socket) -> None:
    """The kernel begins to stamp a moment after the machine's first socket has asked for it."""

    def stamped() -> bool:
        client.sendall(b"x")
        _, ancillary, _, _ = connection.recvmsg(1, ANCILLARY_BYTES)
        return bool(ancillary)

    eventually(stamped, "a stamp by the kernel", seconds=STAMPS_COME_WITHIN_SECONDS)


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
