"""Situations in which the ledger cannot keep its promise.

LedgerError
    LedgerUnreachable   the store did not answer or refused the call; try again later
        LedgerRefused   it will refuse the same call again: a person must act
    LaneMissing         a lane has no row: sending is blocked, it never means "start at 0"
    UploadMissing       an upload has no row
    RowUnreadable       a row is there, and this release does not understand it
"""


class LedgerError(Exception):
    """Something about the ledger that a person or the caller must act on."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class LedgerUnreachable(LedgerError):
    """The store did not answer, or refused the call."""


class LedgerRefused(LedgerUnreachable):
    """The store refused the call because of its content, and will refuse it again."""


class LaneMissing(LedgerError):
    """A lane that orders arrive for has no row in the ledger."""


class UploadMissing(LedgerError):
    """There is no such upload in the ledger."""


class RowUnreadable(LedgerError):
    """A row holds what this release cannot read."""


def lane_missing(upload: str, lane: int) -> LaneMissing:
    """A lane without a row, with what to do about it."""
    return LaneMissing(
        f"lane {lane} of upload {upload} has no row in the ledger",
        hint="the table may have been emptied or replaced: point ORDERS_LEDGER_TABLE at the right "
        "one or restore it; nothing of this lane is sent until then",
    )


def upload_missing(upload: str) -> UploadMissing:
    """An upload without a row, with what to do about it."""
    return UploadMissing(
        f"there is no upload {upload} in the ledger",
        hint="`orders uploads` lists the uploads; check that you look at the right table",
    )


def row_unreadable(pk: str, sk: str, error: Exception) -> RowUnreadable:
    """A row that cannot be read, with what to do about it."""
    lines = (line.strip() for line in str(error).splitlines())
    why = " ".join(line for line in lines if not line.startswith("For further information"))
    return RowUnreadable(
        f"the row {pk} / {sk} of the ledger cannot be read: {type(error).__name__}: {why}",
        hint="if a newer release wrote it, run that release again; if not, look at the row and "
        "restore it",
    )
