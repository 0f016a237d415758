"""The uploads, and the state of sending, as the ledger has them now."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.claim import Claim
from ledger.ports.pace import HistoryStore, PaceStore
from ledger.ports.uploads import UploadLedger
from ledger.report import LISTED_SECONDS, LedgerView, StatusReport, report
from ledger.uploads.upload import Account
from orders.upload import UploadId
from orders_cli.failures import UsageWrong

PREFIX_CHARACTERS_MIN = 4
"""An upload id cannot be abbreviated further."""

_WHOLE_ID = re.compile(r"[0-9a-f]{20}", re.ASCII)


class StatusLedger(UploadLedger, PaceStore, HistoryStore, Protocol):
    """The parts of the ledger that an overview reads."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The ledger at one time.

    accounts: all open uploads and those that ended lately, newest first.
    report: what is left, when it is done, and what stands in the way.
    """

    accounts: tuple[Account, ...]
    report: StatusReport


def read_overview(
    ledger: StatusLedger,
    *,
    retention_hours: int,
    now: float,
    claims: Sequence[Claim] | None = None,
    with_ended: bool = True,
) -> Overview:
    """Read the ledger once. Raises LedgerUnreachable.

    claims: those of all workers; None: assume that one is alive.
    with_ended: read the uploads that ended as well; the report does not need them.
    """
    # Open uploads first, so that one that ends in between is seen.
    still_open = tuple(ledger.open_accounts())
    ended = ledger.ended_accounts(since=now - LISTED_SECONDS) if with_ended else ()
    found = {account.upload.id: account for account in (*still_open, *ended)}
    newest_first = sorted(found.values(), key=lambda a: a.upload.created_at, reverse=True)
    view = LedgerView(
        accounts=still_open,
        ended=ledger.ended_tally(),
        pace=ledger.read_pace(),
        samples=ledger.read_history().samples,
        claims=claims,
    )
    seen = report(view, retention_seconds=retention_hours * 3600.0, now=now)
    return Overview(tuple(newest_first), seen)


def find_account(ledger: UploadLedger, text: str, overview: Callable[[], Overview]) -> Account:
    """The upload with this id, or the only listed one whose id starts so. Raises UsageWrong."""
    wanted = text.strip().lower()
    if len(wanted) < PREFIX_CHARACTERS_MIN:
        raise UsageWrong(
            f"{text!r} is too short: write at least {PREFIX_CHARACTERS_MIN} characters of the id."
        )
    if _WHOLE_ID.fullmatch(wanted):
        account = ledger.read_account(UploadId(wanted))
        found = [account] if account else []
    else:
        found = [a for a in overview().accounts if a.upload.id.startswith(wanted)]
    if not found:
        raise UsageWrong(f"There is no upload {text};", hint="`orders uploads` lists all.")
    if len(found) > 1:
        raise UsageWrong(f"{len(found)} upload ids start with {text}; write more of it.")
    return found[0]
