"""How does a command answer once its file is stored, whatever fails after that?

A stored file is read and sent, so its upload id and key are printed in any case: who does not see
them uploads the file again, and every order is sent twice.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ledger.ports.uploads import UploadLedger
from ledger.uploads.upload import Account, Upload, UploadState
from orders_cli.documents import upload_document
from orders_cli.failures import AwsUnreachable, ExitCode, failure_of
from orders_cli.speech import answer, answer_json, say
from orders_cli.storage import Stored


class StoredUpload:
    """A stored file, and the last that is known of its upload."""

    def __init__(self, stored: Stored, *, now: float) -> None:
        """`now` is epoch seconds."""
        self._stored = stored
        row = Upload(
            stored.upload, stored.source, UploadState.READING, created_at=now, updated_at=now
        )
        self.account = Account(row)

    def see(self, account: Account) -> None:
        """This is known of it now."""
        self.account = account

    def announce(self, ledger: UploadLedger) -> None:
        """Make its row, unless the producer was faster. Raises LedgerUnreachable."""
        stored = self._stored
        self.account = Account(ledger.announce(stored.upload, stored.source, now=time.time()))
        self.account = ledger.read_account(stored.upload) or self.account

    @property
    def sentence(self) -> str:
        """What holds, for a person who sees something fail."""
        stored = self._stored
        return (
            f"The file IS stored as {stored.source.key} and will be read and sent as upload "
            f"{stored.upload}: do not upload it again. See `orders status`, or "
            f"`orders uploads show {stored.upload}`."
        )


@contextmanager
def answering(stored: Stored, *, as_json: bool) -> Iterator[StoredUpload]:
    """Print id and key at once, or with --json all that is known at the end, however it ends.

    What fails with AWS, or for a setting, ends with AwsUnreachable: the command was used rightly,
    and a 2 would say that nothing was done.
    """
    known = StoredUpload(stored, now=time.time())
    if not as_json:
        answer(f"upload  {stored.upload}")
        answer(f"key     {stored.source.key}")
        sys.stdout.flush()
    try:
        yield known
    except typer.Exit:
        raise
    except (Exception, KeyboardInterrupt) as error:
        failure = failure_of(error) if isinstance(error, Exception) else None
        if failure is None or failure.exit_code is not ExitCode.PROBLEMS:
            say(known.sentence)
        if failure and failure.exit_code is ExitCode.USAGE:
            raise AwsUnreachable(str(failure)) from error
        if isinstance(error, KeyboardInterrupt):
            raise typer.Exit(ExitCode.STOPPED_WATCHING) from error
        raise
    finally:
        if as_json:
            answer_json(upload_document(known.account))
            sys.stdout.flush()
