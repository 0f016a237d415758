"""Which live process holds a worker number?

Two live daemons with one KCL worker id send everything twice, for ever, so a worker claims its
number before it starts one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

STALE_SECONDS = 30.0
"""A claim of another machine without a heartbeat for this long is free."""


@dataclass(frozen=True, slots=True)
class LiveProcess:
    """A process that can be told from a later one with the same id.

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

    At once when its process is gone from this machine, else when it had no heartbeat for
    STALE_SECONDS. `lives` tells of processes of this machine.
    """
    if claim.host == host and claim.boot == boot:
        return not lives(claim.worker)
    return now - claim.heartbeat_at > STALE_SECONDS


class Claims(Protocol):
    """Where worker numbers are claimed."""

    def claims(self, worker_id: str) -> Iterable[Claim]:
        """Every claim under this worker id."""

    def all_claims(self) -> Iterable[Claim]:
        """Every claim under any worker id, for who only looks; a claim taken just now may lack."""

    def take_claim(self, claim: Claim, *, instead_of: Claim | None) -> bool:
        """Write the claim where none stands, or where exactly `instead_of` stands.

        The same token and heartbeat make it the same. False: somebody else was faster.
        """

    def renew_claim(self, claim: Claim) -> bool:
        """Write the heartbeat and the daemon of a claim held. False: it was taken over."""

    def release_claim(self, claim: Claim) -> None:
        """Give it up, if it is still held by this token."""
