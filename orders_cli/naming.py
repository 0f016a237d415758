"""Which upload does a person mean?"""

import re
from collections.abc import Callable

from ledger.ports.uploads import UploadLedger
from ledger.uploads.upload import Account
from orders.upload import UploadId
from orders_cli.failures import UsageWrong
from orders_cli.looking import Look

SHORTEST = 4
"""Fewer letters of an id are not taken for it."""

_WHOLE = re.compile(r"[0-9a-f]{20}", re.ASCII)


def find_account(ledger: UploadLedger, text: str, look: Callable[[], Look]) -> Account:
    """The upload with this id, or the listed one whose id begins so. Raises UsageWrong."""
    wanted = text.strip().lower()
    if len(wanted) < SHORTEST:
        raise UsageWrong(f"{text!r} is too short: write at least {SHORTEST} letters of the id.")
    found: list[Account] = []
    if _WHOLE.fullmatch(wanted):
        account = ledger.read_account(UploadId(wanted))
        found = [account] if account else []
    else:
        found = [a for a in look().accounts if a.upload.id.startswith(wanted)]
    if not found:
        raise UsageWrong(f"There is no upload {text};", hint="`orders uploads` lists all.")
    if len(found) > 1:
        raise UsageWrong(f"{text} begins the ids of {len(found)} uploads; write more of it.")
    return found[0]
