"""Is any worker alive, as far as the ledger tells?"""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.ports.claims import STALE_SECONDS, Claim
from ledger.ports.history import Sample
from ledger.ports.pace import Pace

WHAT_TO_DO = "start it again (ConsumerAbsent in docs/operations.md says how)"
NEVER = "no worker has started yet: start one (`python -m consumer`, or deploy the service)"
GIVEN_UP = f"no worker is running, the last one was stopped: {WHAT_TO_DO}"


@dataclass(frozen=True, slots=True)
class Absence:
    """No worker is alive.

    since: its last sign of life in seconds since the epoch, None where no worker ever started.
    sentence: what happened and what to do.
    """

    since: float | None
    sentence: str


def absence(
    claims: Sequence[Claim], samples: Sequence[Sample], pace: Pace, now: float
) -> Absence | None:
    """Whether nobody sends. One live worker is enough, whatever became of the others.

    claims: every claim of the ledger. A worker that ends in good order gives its claim up, so where
    there is none, the last look at the ledger (`samples`, oldest first) tells when that was. Where
    only PID 1 hangs, its shard processes go on sending: a turn that was just taken is life, too.
    """
    if claims:
        last = max(claims, key=lambda claim: claim.heartbeat_at)
        turn_at = _last_turn(pace, now)
        seen_at = max(last.heartbeat_at, turn_at if turn_at <= now else 0.0)
        if now - seen_at <= STALE_SECONDS:
            return None
        who = f"worker number {last.number} (process {last.worker.pid} on {last.host})"
        return Absence(seen_at, f"{who} shows no sign of life: {WHAT_TO_DO}")
    if samples:
        return Absence(samples[-1].at, GIVEN_UP)
    return Absence(None, NEVER)


def _last_turn(pace: Pace, now: float) -> float:
    return pace.next_free - pace.spacing_seconds(now)
