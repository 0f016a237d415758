"""orders status: what is left, when it will be done, what stands in the way."""

import json
import sys
import time
from typing import Annotated

import typer

from orders_cli.aws import Aws, open_to_read
from orders_cli.command_options import command_app, examples
from orders_cli.failures import ExitCode
from orders_cli.json_documents import status_document
from orders_cli.output import answer, answer_json, answer_table, is_lively
from orders_cli.status_text import UPLOAD_HEADERS, status_lines, upload_cells

REDRAW_SECONDS = 1.0
_CLEAR_SCREEN = "\x1b[H\x1b[2J"

app = command_app()


@app.command(epilog=examples("orders status --watch"))
def status(
    watch: Annotated[
        bool, typer.Option("--watch", help="Refresh every second, until Ctrl-C.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document; with --watch one per line.")
    ] = False,
) -> None:
    """Show what is left and when it will be done.

    Also shows what stands in the way, and lists all open uploads and those that ended in the last
    30 days, newest first.
    """
    aws = open_to_read()
    if not watch:
        _show(aws, as_json=as_json)
        return
    try:
        while True:
            _refresh(aws, as_json=as_json)
            time.sleep(REDRAW_SECONDS)
    except KeyboardInterrupt as error:
        raise typer.Exit(ExitCode.STOPPED_WATCHING) from error


def _refresh(aws: Aws, *, as_json: bool) -> None:
    if as_json:
        document = status_document(aws.overview(), aws.intake_dead_letters())
        answer(json.dumps(document, ensure_ascii=False))
    else:
        _show(aws, as_json=False, before=_CLEAR_SCREEN if is_lively(sys.stdout) else "")
        answer("")
    sys.stdout.flush()


def _show(aws: Aws, *, as_json: bool, before: str = "") -> None:
    overview, dead_letters = aws.overview(), aws.intake_dead_letters()
    if as_json:
        answer_json(status_document(overview, dead_letters))
        return
    sys.stdout.write(before)  # only now, so that the screen is not empty while AWS is asked
    for line in status_lines(overview, dead_letters):
        answer(line)
    if overview.accounts:
        answer("")
        answer_table(UPLOAD_HEADERS, [upload_cells(account) for account in overview.accounts])
