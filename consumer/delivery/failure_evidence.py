"""Is the API down, or is it this one order?

An order is blamed only on evidence: it failed again and again while others were accepted in
between, by attempts that began after its failure. Those on their way when an outage begins may be
accepted long into it, and say nothing. Where orders that had failed were accepted later the API is
flapping, and more evidence is asked for. And where it fails at random, so that good orders fail
several times before they are accepted, an order is blamed only for a row of failures that a good
one would hardly ever see.
"""

from collections import deque
from dataclasses import dataclass, field

from consumer.delivery.entries import SUSPECT, Entry

SUSPECT_RETRY_SECONDS = (5.0, 10.0, 15.0)
"""How long a suspect waits before its next attempt; the last repeats."""
PATIENCE_MAX = 10
"""However much the API flaps, this many failures alone are enough."""
FLAPPING_SECONDS = 600.0
"""For how long an order that was accepted after it had failed counts as a sign of flapping."""
OTHERS = 200
"""How many of the last accepted orders show how often a good order fails."""
CHANCE_MAX = 1e-9
"""An order is blamed only if a good one would fail so often alone with at most this chance."""


@dataclass(slots=True)
class FailureEvidence:
    """What is known about failures of this process.

    failed_alone: failures alone after which an order is refused, while nothing flaps.
    accepted_start: when the attempt began that was accepted and began last.
    recoveries: when orders were accepted lately that had failed before.
    others: how often the orders accepted last had failed alone before they were.
    undecided: orders that failed and were neither accepted nor refused when last looked at.
    """

    failed_alone: int
    accepted_start: float = 0.0
    recoveries: deque[float] = field(default_factory=deque)
    others: deque[int] = field(default_factory=lambda: deque(maxlen=OTHERS))
    undecided: dict[Entry, None] = field(default_factory=dict)
    probe_other_next: bool = False

    def accept(self, entry: Entry) -> None:
        """An order was accepted."""
        self.accepted_start = max(self.accepted_start, entry.started_at)
        self.others.append(entry.alone)
        self.undecided.pop(entry, None)
        if entry.failures:
            self.recoveries.append(entry.started_at)

    def pass_elsewhere(self, started_at: float) -> None:
        """An order of another shard, too, shows that the API takes orders."""
        self.accepted_start = max(self.accepted_start, started_at)

    def others_passed(self, entry: Entry) -> bool:
        """Was an order accepted whose attempt began after this one's last failure?"""
        return self.accepted_start > entry.failed_at

    def fail(self, entry: Entry, *, now: float, is_probe: bool) -> bool:
        """An order failed; True where it is to be refused as `failed alone`.

        is_probe: sending was held, so that the API may well be down.
        """
        entry.fail(now, others_passed=self.others_passed(entry) and not is_probe)
        self.undecided[entry] = None
        if entry.is_suspect:
            step = min(entry.alone - SUSPECT, len(SUSPECT_RETRY_SECONDS) - 1)
            entry.retry_at = now + SUSPECT_RETRY_SECONDS[step]
        self.probe_other_next = entry.is_suspect or not self.probe_other_next
        while self.recoveries and self.recoveries[0] < now - FLAPPING_SECONDS:
            self.recoveries.popleft()
        flaps = len(self.recoveries)
        patience = min(self.failed_alone + flaps, max(PATIENCE_MAX, self.failed_alone))
        self.undecided = {other: None for other in self.undecided if other.outcome is None}
        chance = self._chance_of(entry.alone, others=len(self.undecided) - 1)
        return entry.alone >= patience and chance <= CHANCE_MAX

    def _chance_of(self, failures: int, *, others: int) -> float:
        """How likely a good order would fail so often alone, going by the others of late.

        Each time it is tried it fails once more with the chance that an attempt of theirs had to be
        such a failure. `others` failed and were not accepted yet; each of them counts as one.
        """
        failed = sum(self.others) + others
        share = failed / (failed + len(self.others)) if failed else 0.0
        return float(share**failures)
