import socket
import time

from sandbox.api.kernel_stamps import ANCILLARY_BYTES, ArrivalClock, ask_for_stamps
from tests.support.eventually import eventually

OVERSLEPT_SECONDS = 0.05
STAMPS_COME_WITHIN_SECONDS = 5.0


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
