"""Is the worker alive, and is it ready to send?

Alive (/healthz): if not, a restart may help, so an orchestrator may kill the container.
Ready (/readyz): orders are being sent, or would be if any waited.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from consumer.run_folder import Phase, ShardFile
from consumer.telemetry.snapshot import Snapshot
from ledger.sending_status import SendingState

DAEMON_GONE_SECONDS = 120.0
"""Back-off between starts is at most 60 s."""
NO_SHARD_SECONDS = 300.0
"""A leader lock left behind delays a new shard by up to 150 s after each start."""
SHARD_SILENT_SECONDS = 60.0
VIEW_SECONDS = 30.0
SKEW_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `says` is a sentence for people."""

    name: str
    is_fine: bool
    says: str


def liveness(snapshot: Snapshot, *, workers: int, watcher_lives: bool) -> list[Finding]:
    """The checks of /healthz. workers: of several, one without shards may be a spare."""
    findings = [_daemon(snapshot), *(_shard(snapshot, shard) for shard in snapshot.shards)]
    if workers == 1:
        findings.append(_leases_in_time(snapshot))
    says = "the ledger is being read" if watcher_lives else "the ledger is no longer read"
    findings.append(Finding("watch", watcher_lives, says))
    return findings


def readiness(snapshot: Snapshot, *, workers: int) -> list[Finding]:
    """The checks of /readyz."""
    shards, skew_seconds = len(snapshot.shards), snapshot.skew_seconds
    is_read = snapshot.view_age_seconds <= VIEW_SECONDS
    is_skewed = abs(skew_seconds) > SKEW_SECONDS
    skew = f"{skew_seconds:+.1f} s off DynamoDB's" if skew_seconds else "right"
    trouble = snapshot.folder_trouble
    findings = [
        Finding("leases", bool(shards) or workers > 1, f"{shards} shard(s) leased"),
        Finding("ledger", is_read, "read" if is_read else snapshot.trouble or "not read lately"),
        Finding("clock", not is_skewed, skew),
        Finding("run folder", not trouble, trouble or "can be written"),
    ]
    if snapshot.ledger:
        sending = snapshot.ledger.status.sending
        says = f"{sending.state.value}: {sending.reason}" if sending.reason else "orders are sent"
        findings.append(Finding("sending", sending.state is not SendingState.BLOCKED, says))
    return findings


def all_fine(findings: Iterable[Finding]) -> bool:
    """Are all results fine?"""
    return all(finding.is_fine for finding in findings)


def _daemon(snapshot: Snapshot) -> Finding:
    worker = snapshot.worker
    if worker.waits_for:
        return Finding("daemon", is_fine=True, says=worker.waits_for)
    if worker.daemon_since is not None:
        age_seconds = snapshot.monotonic - worker.daemon_since
        return Finding("daemon", is_fine=True, says=f"running for {age_seconds:.0f} s")
    gone_seconds = snapshot.monotonic - worker.phase_since
    is_fine = worker.phase is Phase.ENDED or gone_seconds < DAEMON_GONE_SECONDS
    return Finding("daemon", is_fine, f"not running ({worker.phase.value}, {gone_seconds:.0f} s)")


def _shard(snapshot: Snapshot, shard: ShardFile) -> Finding:
    silent_seconds = max(0.0, snapshot.at - shard.alive_at)
    # A process that cannot write does not hang: a restart would not help it.
    is_fine = silent_seconds < SHARD_SILENT_SECONDS or bool(snapshot.folder_trouble)
    says = f"process {shard.pid}, last sign of life {silent_seconds:.0f} s ago"
    return Finding(shard.shard, is_fine, says)


def _leases_in_time(snapshot: Snapshot) -> Finding:
    daemon_since = snapshot.worker.daemon_since
    if snapshot.shards or daemon_since is None:
        return Finding("bootstrap", is_fine=True, says="in time")
    age_seconds = snapshot.monotonic - daemon_since
    says = f"the daemon has no shard yet, {age_seconds:.0f} s after its start"
    return Finding("bootstrap", age_seconds < NO_SHARD_SECONDS, says)
