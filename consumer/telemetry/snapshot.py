"""What metrics, health and status page show: all that was seen at one moment."""

from dataclasses import astuple, dataclass, field

from consumer.run_folder import ShardFile
from consumer.telemetry.worker_view import WorkerView
from ledger.pace.history import Sample
from ledger.report import StatusReport
from ledger.uploads.lane import Tally
from ledger.uploads.upload import Account


@dataclass(frozen=True, slots=True)
class LedgerSnapshot:
    """The ledger at one moment.

    open_accounts: newest first. just_ended: the last ones that this worker saw end.
    settled: by outcome, of all uploads ever; it never falls. samples: oldest first.
    """

    status: StatusReport
    open_accounts: tuple[Account, ...]
    just_ended: tuple[Account, ...]
    settled: Tally
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Rare:
    """What changes rarely or costs more to read, and is read less often.

    ended_accounts: of the last 30 days, newest first. intake_dead_letters: None if unknown.
    """

    ended_accounts: tuple[Account, ...] = ()
    intake_dead_letters: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything. `at` is seconds since the epoch, `monotonic` the same moment.

    ledger: the last view of the ledger, None before the first. trouble: why there is no newer one.
    folder_trouble: why shard processes cannot report their state; empty where they can.
    """

    at: float
    monotonic: float
    worker: WorkerView
    shards: tuple[ShardFile, ...]
    ledger: LedgerSnapshot | None
    trouble: str = ""
    skew_seconds: float = 0.0
    folder_trouble: str = ""
    rare: Rare = field(default_factory=Rare)

    @property
    def view_age_seconds(self) -> float:
        """How old the view of the ledger is; infinite before the first."""
        return max(0.0, self.at - self.ledger.status.at) if self.ledger else float("inf")

    @property
    def accounts(self) -> tuple[Account, ...]:
        """All uploads that are shown: the open ones, then those that ended."""
        opened = self.ledger.open_accounts if self.ledger else ()
        just_ended = self.ledger.just_ended if self.ledger else ()
        ended = {account.upload.id: account for account in just_ended}
        ended |= {account.upload.id: account for account in self.rare.ended_accounts}
        for account in opened:
            ended.pop(account.upload.id, None)
        by_end = sorted(ended.values(), key=lambda a: a.upload.ended_at or 0.0, reverse=True)
        return (*opened, *by_end)


def never_falling(before: Tally, now: Tally) -> Tally:
    """The larger of each count.

    An upload that ends moves from the open ones to the sum of the ended, and a missing order may
    arrive after all: neither may look like the reset of a counter.
    """
    larger = map(max, astuple(before), astuple(now))
    return Tally(*larger)
