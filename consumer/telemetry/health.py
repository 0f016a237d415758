"""Is the worker alive, and is it ready to send?

Alive (/healthz): a new start could mend what is wrong, so an orchestrator may kill the container.
Ready (/readyz): orders are being sent, or would be if any waited.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from consumer.run_folder import Phase
from consumer.telemetry.snapshot import Snapshot
from ledger.sending_status import SendingState

DAEMON_GONE_SECONDS = 120.0
"""Back-off between starts is at most 60 s."""
NO_SHARD_SECONDS = 300.0
"""A leader lock left behind holds a new shard back for up to 150 s after each start."""
SHARD_SILENT_SECONDS = 60.0
VIEW_SECONDS = 30.0
SKEW_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `says` is a sentence for people."""

    name: str
    is_fine: bool
    says: str


def liveness(snapshot: Snapshot, *, workers: int, watcher_lives: bool) -> list[Finding]:
    """What /healthz tells. workers: with more than one, a worker without shards may be a spare."""
    findings = [_daemon(snapshot), *_shards(snapshot)]
    if workers == 1:
        findings.append(_leases_in_time(snapshot))
    told = "the ledger is looked at" if watcher_lives else "nobody looks at the ledger any more"
    findings.append(Finding("watch", watcher_lives, told))
    return findings


def readiness(snapshot: Snapshot, *, workers: int) -> list[Finding]:
    """What /readyz tells."""
    shards = len(snapshot.shards)
    findings = [
        Finding("leases", bool(shards) or workers > 1, f"{shards} shard(s) leased"),
        _view(snapshot),
        _clock(snapshot.skew_seconds),
        _folder(snapshot.folder_trouble),
    ]
    if snapshot.ledger:
        sending = snapshot.ledger.status.sending
        is_blocked = sending.state is SendingState.BLOCKED
        told = f"{sending.state.value}: {sending.reason}" if sending.reason else "sending goes on"
        findings.append(Finding("sending", not is_blocked, told))
    return findings


def all_fine(findings: Iterable[Finding]) -> bool:
    """Is nothing wrong?"""
    return all(finding.is_fine for finding in findings)


def _fine(name: str, says: str) -> Finding:
    return Finding(name, is_fine=True, says=says)


def _daemon(snapshot: Snapshot) -> Finding:
    worker = snapshot.worker
    if worker.waits_for:
        return _fine("daemon", worker.waits_for)
    if worker.daemon_since is not None:
        age_seconds = snapshot.monotonic - worker.daemon_since
        return _fine("daemon", f"running for {age_seconds:.0f} s")
    gone_seconds = snapshot.monotonic - worker.phase_since
    is_fine = worker.phase is Phase.ENDED or gone_seconds < DAEMON_GONE_SECONDS
    return Finding("daemon", is_fine, f"not running ({worker.phase.value}, {gone_seconds:.0f} s)")


def _shards(snapshot: Snapshot) -> Iterable[Finding]:
    for shard in snapshot.shards:
        silent_seconds = max(0.0, snapshot.at - shard.alive_at)
        # A process that cannot write is not one that hangs: a new start would not help it.
        yield Finding(
            shard.shard,
            silent_seconds < SHARD_SILENT_SECONDS or bool(snapshot.folder_trouble),
            f"process {shard.pid}, last sign of life {silent_seconds:.0f} s ago",
        )


def _leases_in_time(snapshot: Snapshot) -> Finding:
    daemon_since = snapshot.worker.daemon_since
    if snapshot.shards or daemon_since is None:
        return _fine("bootstrap", "in time")
    age_seconds = snapshot.monotonic - daemon_since
    return Finding(
        "bootstrap",
        age_seconds < NO_SHARD_SECONDS,
        f"the daemon has no shard yet, {age_seconds:.0f} s after its start",
    )


def _view(snapshot: Snapshot) -> Finding:
    is_fine = snapshot.view_age_seconds <= VIEW_SECONDS
    told = "seen" if is_fine else snapshot.trouble or "not seen for a while"
    return Finding("ledger", is_fine, told)


def _folder(trouble: str) -> Finding:
    return Finding("run folder", not trouble, trouble or "can be written")


def _clock(skew_seconds: float) -> Finding:
    told = f"{skew_seconds:+.1f} s off DynamoDB's" if skew_seconds else "right"
    return Finding("clock", abs(skew_seconds) <= SKEW_SECONDS, told)
