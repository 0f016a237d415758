"""orders upload: store a file of orders.

A stored file is read and sent, so its upload id and key are printed whatever fails after that:
whoever does not see them uploads the file again, and every order is sent twice.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from ledger.earlier_upload import DuplicateLedger, claim_bytes
from ledger.uploads.upload import Account, Upload, UploadState
from orders.upload_keys import correcting_name, repeating_name
from orders_cli.aws import Aws, open_to_change
from orders_cli.bucket import Stored
from orders_cli.command_options import AsJson, Yes, command_app, examples, whoami
from orders_cli.corrections import corrected_sentence, corrections_in
from orders_cli.failures import AwsUnreachable, ExitCode, failure_of
from orders_cli.invalid_lines import invalid_line_text, invalid_lines
from orders_cli.json_documents import document, whole_upload_fields
from orders_cli.local_file import check_beginning, check_file, new_key
from orders_cli.output import answer, answer_aligned, answer_json, is_lively, say
from orders_cli.preflight import check_ready
from orders_cli.quantities import count
from orders_cli.status_text import account_lines
from orders_cli.store_once import find_in_doubt, store_file
from orders_cli.upload_watch import exit_code_of, wait_for
from orders_cli.uploaded_before import check_duplicates

INVALID_SHOWN = 10

app = command_app()


@app.command(epilog=examples("orders upload orders.jsonl", "orders upload orders.csv.gz --wait"))
def upload(
    file: Annotated[
        Path, typer.Argument(help="JSON lines (.jsonl, .ndjson, .json) or .csv, plain or .gz.")
    ],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Watch until all is settled.")] = False,
    corrects: Annotated[
        str | None,
        typer.Option(metavar="UPLOAD", help="The file has corrected orders that it refused."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Send its orders even if they were uploaded before.")
    ] = False,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Upload a file of orders, one per line.

    It is then read and sent automatically. Every upload has its own key and id: the same file again
    is another upload, whose orders are sent as well. Before it is stored, a file that was uploaded
    before, and order ids that it repeats or that an earlier upload has, are warned of or refused
    (ORDERS_DUPLICATES). Once the
    file is stored, its id and key are printed, whatever fails after that: if you see them, do not
    upload the file again.

    With --corrects, an order closes the dead letters with its order id in that upload once the API
    has answered it: seen at once with --wait, else by the next `orders dead-letters redrive`,
    which until then does not send the old orders again.

    Exit codes with --wait: 0 all accepted, 3 some invalid, refused or missing, 4 refused at
    admission, 130 stopped watching.
    """
    check_file(file)
    check_beginning(file)
    aws = open_to_change(f"upload {file.name}", yes=yes, with_bucket=True)
    name, original = file.name, None
    if corrects:
        original = aws.find_account(corrects).upload.id
        name = correcting_name(original, file.name)
    if again:
        name = repeating_name(name)
    key = new_key(aws.settings.upload_prefix, name)
    try:
        check_ready(aws, key)
        if original:
            say(corrected_sentence(aws, file, original))
        if not again:
            check_duplicates(aws, file, key)
    except Exception:
        say("Nothing was stored.")
        raise
    stored, is_stopped = _store(aws, file, key)
    with _answering(stored, as_json=as_json) as known:
        known.announce(aws.ledger)
        if is_stopped:
            say(known.sentence)
            raise typer.Exit(ExitCode.STOPPED_WATCHING)
        if not wait:
            return
        known.account = wait_for(aws, stored.upload, known.update)
        if original:
            closed = corrections_in(aws).close(original, by=whoami(), now=time.time()).closed
            say(f"{count(closed, 'dead letter')} of upload {original} closed as corrected.")
        if not as_json:
            answer_aligned(account_lines(known.account)[2:])
        _say_invalid(aws, known.account)
        raise typer.Exit(exit_code_of(known.account))


@dataclass(slots=True)
class _StoredUpload:
    """A stored file, and the latest known state of its upload."""

    stored: Stored
    account: Account

    def update(self, account: Account) -> None:
        self.account = account

    def announce(self, ledger: DuplicateLedger) -> None:
        """Write its row, unless the producer was faster, and note its bytes.

        Raises LedgerUnreachable.
        """
        upload = self.stored.upload
        self.account = Account(ledger.announce(upload, self.stored.source, now=time.time()))
        self.account = ledger.read_account(upload) or self.account
        claim_bytes(ledger, self.stored.source, upload, now=time.time())

    @property
    def sentence(self) -> str:
        """What is true, for a person who sees something fail."""
        upload = self.stored.upload
        return (
            f"The file IS stored as {self.stored.source.key} and will be read and sent as upload "
            f"{upload}: do not upload it again. See `orders status`, or "
            f"`orders uploads show {upload}`."
        )


@contextmanager
def _answering(stored: Stored, *, as_json: bool) -> Iterator[_StoredUpload]:
    """Print id and key at once, or with --json all that is known at the end, however it ends.

    A failure of AWS, or of a setting, becomes AwsUnreachable: the usage was right, and exit code 2
    would say that nothing was done.
    """
    now = time.time()
    row = Upload(stored.upload, stored.source, UploadState.READING, created_at=now, updated_at=now)
    known = _StoredUpload(stored, Account(row))
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
            answer_json(document(**whole_upload_fields(known.account)))
            sys.stdout.flush()


def _store(aws: Aws, file: Path, key: str) -> tuple[Stored, bool]:
    """Store the file. True: Ctrl-C came too late to prevent it."""
    size_bytes = file.stat().st_size
    if not size_bytes:
        say(f"{file} is empty: the upload has no orders.")
    try:
        with file.open("rb") as content, _progress(file.name, size_bytes) as on_bytes:
            return store_file(aws.bucket, content, key, on_bytes), False
    except KeyboardInterrupt as error:
        found = find_in_doubt(aws.bucket, key)
        if found:
            return found, True
        say(f"Stopped before all of {file.name} was stored: none of it will be sent.")
        raise typer.Exit(ExitCode.STOPPED_WATCHING) from error


@contextmanager
def _progress(name: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
    """A progress bar while the file is sent; nothing without a terminal."""
    if not is_lively(sys.stderr):
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - imported only for a terminal
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn  # noqa: PLC0415

    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as progress:
        task = progress.add_task(name, total=size_bytes)
        yield lambda count: progress.advance(task, count)


def _say_invalid(aws: Aws, account: Account) -> None:
    invalid = account.upload.progress.invalid
    if not invalid:
        return
    found = invalid_lines(aws.bucket, aws.settings.report_prefix, account.upload.id)
    for one in islice(found, INVALID_SHOWN):
        say(invalid_line_text(one))
    if invalid > INVALID_SHOWN:
        say(f"{invalid - INVALID_SHOWN:,} more: `orders uploads invalid {account.upload.id}`")
