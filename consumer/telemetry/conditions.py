"""Which conditions must a person hear of, by what was seen of the ledger?

The same as the Prometheus rules of dashboards/rules.yml, where each is explained, for alarms that
can compare one number with a threshold.
"""

from collections.abc import Mapping

from consumer.telemetry.snapshot import LedgerSnapshot, Snapshot
from ledger.advice import OtherCause
from ledger.pace.hold import HoldKind
from ledger.pace.limits import Shut
from ledger.pace.pace import BlockReason

RUNWAY_SECONDS_LEAST = 3 * 86_400.0
STALLED_SECONDS = 900.0
SLOW_STALLED_SECONDS = 6 * 3600.0
SLOW_PER_SECOND = 0.004
"""Below it a quarter of an hour without a send is normal; six hours are not."""
INTENDED = frozenset({OtherCause.PAUSED, Shut.QUOTA, Shut.HOURS})


class StallWatch:
    """How long have orders waited while none was settled and nothing intended stopped sending?"""

    def __init__(self) -> None:
        """Begin to look."""
        self._settled: int | None = None
        self._since = 0.0

    def stalled_seconds(self, ledger: LedgerSnapshot) -> float:
        """Seconds until this look; looks come in the order of their time."""
        now, settled = ledger.status.at, ledger.settled.settled
        waits = ledger.status.backlog.waiting and ledger.status.sending.cause not in INTENDED
        if not waits or settled != self._settled:
            self._settled, self._since = settled, now
        return now - self._since


def conditions(snapshot: Snapshot, stalled_seconds: float) -> Mapping[str, float]:
    """1 or 0, or a count, by the name of the rule; empty before the ledger was read."""
    ledger = snapshot.ledger
    if ledger is None:
        return {}
    status = ledger.status
    waiting, runway = status.backlog.waiting, status.backlog.runway_seconds
    eta = status.estimate.seconds
    target = status.pace.target_per_second
    is_slow = target is not None and target / status.pace.orders_per_turn < SLOW_PER_SECOND
    patience = SLOW_STALLED_SECONDS if is_slow else STALLED_SECONDS
    expires = runway is not None and (
        runway < RUNWAY_SECONDS_LEAST or (eta is not None and runway < eta)
    )
    cause = status.sending.cause
    return {
        "OrdersWillExpire": bool(waiting and expires),
        "NothingSentWhileOrdersWait": stalled_seconds >= patience,
        "OrdersMissing": sum(account.tally.missing for account in snapshot.accounts),
        "CredentialsRefused": cause == HoldKind.UNAUTHORIZED,
        "RefusalBudgetSpent": cause == BlockReason.REFUSAL_BUDGET_SPENT,
        "Paused": bool(waiting and cause == OtherCause.PAUSED),
    }
