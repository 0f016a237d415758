"""Whether any worker is alive, according to the ledger."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ledger.advice import ADVICE, OtherCause
from ledger.claim import STALE_SECONDS, Claim
from ledger.pace.history import Sample
from ledger.pace.pace import Pace

WHAT_TO_DO = ADVICE[OtherCause.NO_WORKER].action
NEVER_STARTED = "no worker has started yet: start one (`python -m consumer`, or deploy the service)"
GIVEN_UP = f"no worker is running, the last one was stopped: {WHAT_TO_DO}"


@dataclass(frozen=True, slots=True)
class Absence:
    """No worker is alive.

    since: the last sign of life in seconds since the epoch, None if none is known.
    sentence: what happened and what to do.
    """

    since: float | None
    sentence: str


def absence(
    claims: Sequence[Claim], samples: Sequence[Sample], pace: Pace, now: float
) -> Absence | None:
    """The absence of all workers; None if at least one is alive.

    claims: the listed claims; a recent one may be missing, because the index lags. So every sign of
    life counts by itself: a heartbeat, a poll of the ledger (`samples`, oldest first), a turn that
    has started. If only PID 1 hangs, its shard processes continue sending. A worker that stops
    regularly releases its claim, so without a claim the last sign tells when that was.
    """
    # A sign further ahead comes from a wrong clock: it does not tell when it was written.
    signs = [at for at in _signs(claims, samples, pace, now) if 0.0 < at <= now + STALE_SECONDS]
    seen_at = max(signs, default=None)
    if seen_at is not None and now - seen_at <= STALE_SECONDS:
        return None
    if claims:
        return Absence(seen_at, f"{_no_sign_of(claims, now)}: {WHAT_TO_DO}")
    if samples:
        return Absence(seen_at, GIVEN_UP)
    return Absence(None, NEVER_STARTED)


def _signs(
    claims: Sequence[Claim], samples: Sequence[Sample], pace: Pace, now: float
) -> Iterator[float]:
    """The moments at which a worker was alive."""
    yield from (claim.heartbeat_at for claim in claims)
    yield from (sample.at for sample in samples)
    # Turns are reserved ahead of their time; future ones are no sign.
    turns = [row.started_by(now) for row in pace.reserved]
    turns.append(pace.next_free - pace.spacing_seconds(now))
    yield from (turn for turn in turns if turn is not None and turn <= now)


def _no_sign_of(claims: Sequence[Claim], now: float) -> str:
    """Which worker is missing: the last one whose clock can be trusted."""
    last = max(claims, key=lambda claim: (not _is_ahead(claim, now), claim.heartbeat_at))
    who = f"worker number {last.number} (process {last.worker.pid} on {last.host})"
    if _is_ahead(last, now):
        ahead = round(last.heartbeat_at - now)
        return f"{who} shows no sign of life but a heartbeat {ahead} s ahead of the time"
    return f"{who} shows no sign of life"


def _is_ahead(claim: Claim, now: float) -> bool:
    return claim.heartbeat_at > now + STALE_SECONDS
