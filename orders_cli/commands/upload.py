"""orders upload: how does a file of orders get into the system?"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ledger.uploads.upload import Account
from orders_cli.failures import ExitCode
from orders_cli.following import exit_code_of
from orders_cli.invalid_lines import first_invalid_lines
from orders_cli.opening import Opened, open_to_change
from orders_cli.readiness import check_ready
from orders_cli.rendering import account_lines
from orders_cli.speech import aligned, answer, is_lively, say
from orders_cli.storage import Stored
from orders_cli.stored_answer import answering
from orders_cli.storing import find_in_doubt, store_file
from orders_cli.teaching import command_app, examples
from orders_cli.transfer import check_file, fresh_key
from orders_cli.waiting import wait_for

INVALID_SHOWN = 10

app = command_app()


@app.command(epilog=examples("orders upload orders.jsonl", "orders upload orders.csv.gz --wait"))
def upload(
    file: Annotated[
        Path, typer.Argument(help="JSON lines (.jsonl, .ndjson, .json) or .csv, plain or .gz.")
    ],
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Watch until every order is settled."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask on a real account.")] = False,
) -> None:
    """Upload a file of orders, one order a line; it is read and sent by itself.

    Every upload has a key and an id of its own: the same file again is another upload, whose orders
    are sent, too. Once the file is stored, the id and the key are printed, whatever fails after
    that: where they are, do not upload it again.

    Exit codes with --wait: 0 all accepted, 3 some invalid, refused or missing, 4 refused at
    admission, 130 stopped watching.
    """
    check_file(file)
    opened = open_to_change(f"upload {file.name}", yes=yes, with_bucket=True)
    key = fresh_key(opened.settings.upload_prefix, file.name)
    try:
        check_ready(opened, key)
    except Exception:
        say("Nothing was stored.")
        raise
    stored, is_stopped = _store(opened, file, key)
    with answering(stored, as_json=as_json) as known:
        known.announce(opened.ledger)
        if is_stopped:
            say(known.sentence)
            raise typer.Exit(ExitCode.STOPPED_WATCHING)
        if not wait:
            return
        known.account = wait_for(opened, stored.upload, known.see)
        if not as_json:
            for line in aligned(account_lines(known.account)[2:]):
                answer(line)
        _say_invalid(opened, known.account)
        raise typer.Exit(exit_code_of(known.account))


def _store(opened: Opened, file: Path, key: str) -> tuple[Stored, bool]:
    """Store the file. True: Ctrl-C came too late to keep it from being stored."""
    size_bytes = file.stat().st_size
    if not size_bytes:
        say(f"{file} is empty: the upload holds no order.")
    try:
        with file.open("rb") as content, _progress(file.name, size_bytes) as on_bytes:
            return store_file(opened.s3, opened.storage, content, key, on_bytes), False
    except KeyboardInterrupt as error:
        found = find_in_doubt(opened.storage, key)
        if found:
            return found, True
        say(f"Stopped before all of {file.name} was stored: nothing of it will be sent.")
        raise typer.Exit(ExitCode.STOPPED_WATCHING) from error


@contextmanager
def _progress(name: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
    """A bar while the file is on its way; nothing without a terminal."""
    if not is_lively(sys.stderr):
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only who looks at a terminal pays for it
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr)) as progress:
        task = progress.add_task(name, total=size_bytes)
        yield lambda count: progress.advance(task, count)


def _say_invalid(opened: Opened, account: Account) -> None:
    invalid = account.upload.progress.invalid
    if not invalid:
        return
    prefix = opened.settings.report_prefix
    for line in first_invalid_lines(opened.storage, prefix, account.upload.id, INVALID_SHOWN):
        say(line)
    if invalid > INVALID_SHOWN:
        say(f"{invalid - INVALID_SHOWN:,} more: `orders uploads invalid {account.upload.id}`")
