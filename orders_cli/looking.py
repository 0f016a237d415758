"""What does the ledger say at this moment?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.claim import Claim
from ledger.ports.history import HistoryStore
from ledger.ports.pace import PaceStore
from ledger.ports.uploads import UploadLedger
from ledger.report import LedgerView, StatusReport, report
from ledger.uploads.upload import Account

LISTED_SECONDS = 30 * 86_400.0
"""Uploads that ended longer ago are not listed."""


class ReadableLedger(UploadLedger, PaceStore, HistoryStore, Protocol):
    """What of the ledger is needed to see how things stand."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the ledger.

    accounts: all open uploads and those that ended lately, newest first.
    report: what is left, when it is done, and what stands in the way.
    """

    accounts: tuple[Account, ...]
    report: StatusReport


def look(
    ledger: ReadableLedger,
    *,
    retention_hours: int,
    now: float,
    claims: Sequence[Claim] | None = None,
) -> Look:
    """Look once. Raises LedgerUnreachable.

    claims: those of all workers; None: take it that one is alive.

    Open uploads are read before those that ended, so that one that ends between is seen.
    """
    still_open = tuple(ledger.open_accounts())
    ended = ledger.ended_accounts(since=now - LISTED_SECONDS)
    found = {account.upload.id: account for account in (*still_open, *ended)}
    newest_first = sorted(found.values(), key=lambda a: a.upload.created_at, reverse=True)
    seen = _report(ledger, still_open, claims, retention_hours=retention_hours, now=now)
    return Look(tuple(newest_first), seen)


def report_now(
    ledger: ReadableLedger,
    *,
    retention_hours: int,
    now: float,
    claims: Sequence[Claim] | None = None,
) -> StatusReport:
    """The report alone, for whom no list of uploads is shown. Raises LedgerUnreachable."""
    still_open = tuple(ledger.open_accounts())
    return _report(ledger, still_open, claims, retention_hours=retention_hours, now=now)


def _report(
    ledger: ReadableLedger,
    still_open: tuple[Account, ...],
    claims: Sequence[Claim] | None,
    *,
    retention_hours: int,
    now: float,
) -> StatusReport:
    view = LedgerView(
        accounts=still_open,
        ended=ledger.ended_tally(),
        pace=ledger.read_pace(),
        samples=ledger.read_history().samples,
        claims=claims,
    )
    return report(view, retention_seconds=retention_hours * 3600.0, now=now)
