"""Snapshots for tests: a ledger with an upload in it, a worker with a shard."""

from dataclasses import replace

from consumer.run_folder import Phase, ShardFile
from consumer.telemetry.snapshot import LedgerSnapshot, Rare, Snapshot
from consumer.telemetry.worker_view import WorkerView
from ledger.pace.history import Sample
from ledger.pace.pace import Pace
from ledger.pace.steps import configure
from ledger.report import LedgerView, report
from ledger.uploads.lane import Lane, LaneKey, LaneNumber, Tally
from ledger.uploads.upload import Account, Progress, Source, Upload, UploadState
from orders.upload import UploadId

NOW = 1_000_000.0
ONE_PER_SECOND = configure(Pace(), "1/s", now=0.0)


def account(
    number: int = 1,
    *,
    tally: Tally,
    enqueued: int = 100,
    invalid: int = 0,
    state: UploadState = UploadState.SENDING,
    key: str = "uploads/a.jsonl",
) -> Account:
    """An upload; `number` makes its id."""
    upload = Upload(
        id=UploadId(f"{number:020x}"),
        source=Source("bucket", key, "v1", "etag", 10),
        state=state,
        created_at=NOW - 60,
        updated_at=NOW,
        progress=Progress(enqueued=enqueued, invalid=invalid),
    )
    return Account(upload, (Lane(LaneKey(upload.id, LaneNumber(0)), tally=tally),))


def ended(account: Account) -> Account:
    """The same upload, over."""
    upload = replace(
        account.upload, listed_open=False, ended_at=NOW - 5, state=UploadState.DONE_WITH_PROBLEMS
    )
    return Account(upload, account.lanes)


def ledger_seen(
    *accounts: Account,
    pace: Pace = ONE_PER_SECOND,
    samples: tuple[Sample, ...] = (),
    retention_days: float = 90.0,
) -> LedgerSnapshot:
    """The ledger at NOW."""
    view = LedgerView(accounts, Tally(), pace, samples)
    status = report(view, retention_seconds=retention_days * 86_400, now=NOW)
    return LedgerSnapshot(status, accounts, (), status.settled, samples)


def shard(pid: int = 20, **changes: object) -> ShardFile:
    """A shard process that is well."""
    row: dict[str, object] = {"pid": pid, "shard": "shardId-000000000000", "since": NOW - 30}
    return ShardFile.model_validate({**row, "alive_at": NOW, **changes})


def snapshot(
    ledger: LedgerSnapshot | None, *shards: ShardFile, rare: Rare | None = None
) -> Snapshot:
    """A worker that runs for 30 s."""
    worker = WorkerView(phase=Phase.RUNNING, number=1, daemon_since=970.0, starts=1)
    return Snapshot(
        at=NOW, monotonic=1_000.0, worker=worker, shards=shards, ledger=ledger, rare=rare or Rare()
    )
