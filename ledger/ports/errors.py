"""Which situations mean that the ledger cannot keep its promise?

LedgerError
    LedgerUnreachable   the store did not answer or refused the call; try again later
        LedgerRefused   it will refuse the same call again: a person must act
    LaneMissing         a lane has no row: sending is barred, it never means "start at 0"
    UploadMissing       an upload has no row
"""


class LedgerError(Exception):
    """Something about the ledger that a person or the caller must act on."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class LedgerUnreachable(LedgerError):
    """The store did not answer, or refused the call."""


class LedgerRefused(LedgerUnreachable):
    """The store refused the call for what is in it, and will refuse it again."""


class LaneMissing(LedgerError):
    """A lane that orders arrive for has no row in the ledger."""


class UploadMissing(LedgerError):
    """There is no such upload in the ledger."""


def lane_missing(upload: str, lane: int) -> LaneMissing:
    """A lane without a row, with what to do about it."""
    return LaneMissing(
        f"lane {lane} of upload {upload} has no row in the ledger",
        hint="the table may have been emptied or exchanged: point ORDERS_LEDGER_TABLE at the right "
        "one or restore it; nothing of this lane is sent before",
    )


def upload_missing(upload: str) -> UploadMissing:
    """An upload without a row, with what to do about it."""
    return UploadMissing(
        f"there is no upload {upload} in the ledger",
        hint="`orders uploads` lists the uploads; check that you look at the right table",
    )
