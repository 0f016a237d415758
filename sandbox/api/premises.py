"""What do all connections of one server share?"""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.api.arrival import ArrivalClock
from sandbox.api.decision import Desk
from sandbox.api.request_log import RequestLog


@dataclass(frozen=True, slots=True)
class Premises:
    """The desk that decides, the log of requests, the monotonic clock, and that of arrivals.

    `connections` is the most that may be open at once.
    """

    desk: Desk
    log: RequestLog
    clock: Callable[[], float]
    arrivals: ArrivalClock
    connections: int
