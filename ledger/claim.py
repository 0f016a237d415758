"""A claim: which live process holds a worker number.

Two live daemons with one KCL worker id keep sending everything twice, so a worker claims its number
before it starts one.
"""

from collections.abc import Callable
from dataclasses import dataclass

STALE_SECONDS = 30.0
"""A claim from another machine is free after this long without a heartbeat."""


@dataclass(frozen=True, slots=True)
class LiveProcess:
    """A process, distinguished from a later one with the same id.

    started: its start time in clock ticks since boot, from /proc/PID/stat.
    """

    pid: int
    started: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker number, held. `heartbeat_at` is seconds since the epoch.

    host, boot: where it runs; boot is the kernel's boot id, so that a restarted machine differs.
    daemon: the KCL daemon that the worker started, None before.
    """

    worker_id: str
    number: int
    token: str
    host: str
    boot: str
    worker: LiveProcess
    daemon: LiveProcess | None
    heartbeat_at: float


def is_free(
    claim: Claim, *, host: str, boot: str, now: float, lives: Callable[[LiveProcess], bool]
) -> bool:
    """May this claim be taken over?

    At once when its process is gone from this machine, else after STALE_SECONDS without
    a heartbeat. `lives` tells whether a process of this machine is alive.
    """
    if claim.host == host and claim.boot == boot:
        return not lives(claim.worker)
    return now - claim.heartbeat_at > STALE_SECONDS
