"""Which worker number to claim, given the claims that stand."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from consumer.worker.proc import Place
from ledger.claim import Claim, LiveProcess, is_free


@dataclass(frozen=True, slots=True)
class Applicant:
    """A process that wants one of the numbers 1..workers of a worker id."""

    worker_id: str
    workers: int
    place: Place


@dataclass(frozen=True, slots=True)
class Take:
    """Claim this number, in place of the claim on it, if any."""

    number: int
    instead_of: Claim | None


@dataclass(frozen=True, slots=True)
class Busy:
    """Every number is in use; `who` says by whom."""

    who: str


def choose(
    claims: Iterable[Claim],
    applicant: Applicant,
    *,
    now: float,
    lives: Callable[[LiveProcess], bool],
) -> Take | Busy:
    """The number to claim; `now` is seconds since the epoch.

    An abandoned claim comes before an unclaimed number, because KCL's leases are still held under
    its name; one abandoned on this machine comes first.
    """
    workers, place = applicant.workers, applicant.place
    standing = {claim.number: claim for claim in claims if claim.number <= workers}
    free = [
        claim
        for claim in standing.values()
        if is_free(claim, host=place.host, boot=place.boot, now=now, lives=lives)
    ]
    if free:
        best = min(free, key=lambda claim: (not is_here(claim, place), claim.number))
        return Take(best.number, best)
    for number in range(1, workers + 1):
        if number not in standing:
            return Take(number, None)
    return Busy("; ".join(_holder(claim, now) for claim in standing.values()))


def is_here(claim: Claim, place: Place) -> bool:
    """Was this claim made here, so that its processes can be seen?"""
    return (claim.host, claim.boot) == (place.host, place.boot)


def left_over_daemon(
    claim: Claim | None, place: Place, lives: Callable[[LiveProcess], bool]
) -> LiveProcess | None:
    """The daemon that a dead worker left running on this machine, if any."""
    if claim is None or claim.daemon is None or not is_here(claim, place):
        return None
    return claim.daemon if lives(claim.daemon) else None


def _holder(claim: Claim, now: float) -> str:
    age_seconds = max(0.0, now - claim.heartbeat_at)
    return (
        f"number {claim.number} is held by process {claim.worker.pid} on {claim.host} "
        f"(heartbeat {age_seconds:.0f} s ago)"
    )
