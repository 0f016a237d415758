"""orders uploads: the uploads, and what became of each."""

import sys
from itertools import islice
from typing import Annotated

import typer

from orders.invalid_report import write_report_part
from orders_cli.aws import open_to_read
from orders_cli.command_options import AsJson, UploadName, command_app, examples
from orders_cli.invalid_lines import invalid_line_text, invalid_lines
from orders_cli.json_documents import document, whole_upload_fields
from orders_cli.output import answer, answer_aligned, answer_json, answer_table, say
from orders_cli.status_text import UPLOAD_HEADERS, account_lines, trouble_lines, upload_cells

app = command_app()


@app.callback(
    invoke_without_command=True,
    epilog=examples("orders uploads", "orders uploads show 5f3a", "orders uploads invalid 5f3a"),
)
def uploads(context: typer.Context, as_json: AsJson = False) -> None:
    """List the uploads, newest first.

    All open ones and those that ended in the last 30 days are listed.
    """
    if context.invoked_subcommand:
        return
    aws = open_to_read()
    accounts = aws.overview().accounts
    if as_json:
        answer_json(document(uploads=[whole_upload_fields(account) for account in accounts]))
        return
    if not accounts:
        say("There are no uploads yet: `orders upload FILE`.")
        return
    answer_table(UPLOAD_HEADERS, [upload_cells(account) for account in accounts])
    for line in trouble_lines(accounts, aws.intake_dead_letters()):
        say(line)


@app.command(epilog=examples("orders uploads show 5f3a --json"))
def show(upload: UploadName, as_json: AsJson = False) -> None:
    """Show everything about one upload."""
    account = open_to_read().find_account(upload)
    if as_json:
        answer_json(document(**whole_upload_fields(account)))
    else:
        answer_aligned(account_lines(account))


@app.command(epilog=examples("orders uploads invalid 5f3a --json > rejected.jsonl"))
def invalid(
    upload: UploadName,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many lines.")] = 1_000_000,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON lines: line, reason, raw, as in the report.")
    ] = False,
) -> None:
    """Show the lines of an upload that are not orders, each with the reason."""
    aws = open_to_read(with_bucket=True)
    account = aws.find_account(upload)
    found = invalid_lines(aws.bucket, aws.settings.report_prefix, account.upload.id)
    for one in islice(found, limit):
        if as_json:
            sys.stdout.write(write_report_part([one]).decode())
        else:
            answer(invalid_line_text(one))
