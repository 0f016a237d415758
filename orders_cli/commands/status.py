"""orders status: what is left, when is it done, what stands in the way?"""

import json
import sys
import time
from typing import Annotated

import typer

from orders_cli.documents import status_document
from orders_cli.failures import ExitCode
from orders_cli.intake_dead_letters import IntakeDeadLetter
from orders_cli.looking import Look
from orders_cli.opening import Opened, open_to_read
from orders_cli.rendering import UPLOAD_HEADERS, status_lines, upload_row
from orders_cli.speech import answer, answer_json, answer_table, is_lively
from orders_cli.teaching import command_app, examples

WATCH_SECONDS = 1.0
_CLEAR_SCREEN = "\x1b[H\x1b[2J"

app = command_app()


@app.command(epilog=examples("orders status --watch"))
def status(
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again every second, until Ctrl-C.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document; with --watch one line a look.")
    ] = False,
) -> None:
    """Show what waits, until when, at which pace, and what stands in the way.

    Listed are all open uploads and those that ended in the last 30 days, newest first.
    """
    opened = open_to_read()
    if not watch:
        _show(opened.look(), opened.intake_dead_letters(), as_json=as_json)
        return
    try:
        _watch(opened, as_json=as_json)
    except KeyboardInterrupt as error:
        raise typer.Exit(ExitCode.STOPPED_WATCHING) from error


def _watch(opened: Opened, *, as_json: bool) -> None:
    while True:
        look, dead_letters = opened.look(), opened.intake_dead_letters()
        if as_json:
            answer(json.dumps(status_document(look, dead_letters), ensure_ascii=False))
        else:
            if is_lively(sys.stdout):
                sys.stdout.write(_CLEAR_SCREEN)
            _show(look, dead_letters, as_json=False)
            answer("")
        sys.stdout.flush()
        time.sleep(WATCH_SECONDS)


def _show(look: Look, dead_letters: list[IntakeDeadLetter], *, as_json: bool) -> None:
    if as_json:
        answer_json(status_document(look, dead_letters))
        return
    for line in status_lines(look, dead_letters):
        answer(line)
    if look.accounts:
        answer("")
        answer_table(UPLOAD_HEADERS, [upload_row(account) for account in look.accounts])
