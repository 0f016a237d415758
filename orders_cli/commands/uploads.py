"""orders uploads: which uploads are there, and what became of each?"""

import sys
from itertools import islice
from typing import Annotated

import typer

from orders.invalid_report import write_report_part
from orders_cli.documents import upload_document, uploads_document
from orders_cli.invalid_lines import invalid_lines, shown
from orders_cli.naming import find_account
from orders_cli.opening import open_to_read
from orders_cli.rendering import UPLOAD_HEADERS, account_lines, trouble_lines, upload_row
from orders_cli.speech import aligned, answer, answer_json, answer_table, say
from orders_cli.teaching import command_app, examples

app = command_app()

_UploadName = Annotated[
    str, typer.Argument(metavar="UPLOAD", help="Its id, or the first letters of it.")
]
_AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]


@app.callback(
    invoke_without_command=True,
    epilog=examples("orders uploads", "orders uploads show 5f3a", "orders uploads invalid 5f3a"),
)
def uploads(context: typer.Context, as_json: _AsJson = False) -> None:
    """List all open uploads and those that ended in the last 30 days, newest first."""
    if context.invoked_subcommand:
        return
    opened = open_to_read()
    accounts = opened.look().accounts
    if as_json:
        answer_json(uploads_document(accounts))
        return
    if not accounts:
        say("There are no uploads yet: `orders upload FILE`.")
        return
    answer_table(UPLOAD_HEADERS, [upload_row(account) for account in accounts])
    for line in trouble_lines(accounts, opened.intake_dead_letters()):
        say(line)


@app.command(epilog=examples("orders uploads show 5f3a --json"))
def show(upload: _UploadName, as_json: _AsJson = False) -> None:
    """Show everything about one upload."""
    opened = open_to_read()
    account = find_account(opened.ledger, upload, opened.look)
    if as_json:
        answer_json(upload_document(account))
        return
    for line in aligned(account_lines(account)):
        answer(line)


@app.command(epilog=examples("orders uploads invalid 5f3a --json > rejected.jsonl"))
def invalid(
    upload: _UploadName,
    limit: Annotated[int, typer.Option(min=1, help="How many lines at most.")] = 1_000_000,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON lines: line, reason, raw, as in the report.")
    ] = False,
) -> None:
    """Show the lines of an upload that were no orders, each with its reason."""
    opened = open_to_read(with_bucket=True)
    account = find_account(opened.ledger, upload, opened.look)
    rejected = invalid_lines(opened.storage, opened.settings.report_prefix, account.upload.id)
    for one in islice(rejected, limit):
        if as_json:
            sys.stdout.write(write_report_part([one]).decode())
        else:
            answer(f"line {one.line}: {one.reason}: {shown(one.raw)}")
