"""How does a command wait for an upload?"""

import sys
import time

import typer

from ledger.ports.uploads import Account
from orders.upload import UploadId
from orders_cli.failures import CommandFailed, ExitCode
from orders_cli.following import Step
from orders_cli.opening import Opened
from orders_cli.speech import is_lively, say

LOOK_SECONDS = 0.5
SAY_SECONDS = 10.0
"""Without a terminal the progress is said when the state changes, or after this time."""
INTAKE_SECONDS = 20.0
"""How often an upload that is not read is looked for among the intake's dead letters."""


def wait_for(opened: Opened, upload: UploadId) -> Account:
    """Look until the upload is over, and tell on stderr how it goes.

    Raises CommandFailed where nobody will read it; Ctrl-C ends the command, not the upload.
    """
    teller = _Teller()
    checked_at = time.monotonic()

    def look() -> Step:
        nonlocal checked_at
        account = opened.ledger.read_account(upload)
        if account is None:
            raise CommandFailed(f"Upload {upload} is not in the ledger any more.")
        if not account.lines_read and time.monotonic() - checked_at > INTAKE_SECONDS:
            checked_at = time.monotonic()
            _refuse_dead_letter(opened, upload)
        return Step(account, opened.look().report)

    try:
        step = look()
        while not step.is_over:
            teller.tell(step)
            time.sleep(LOOK_SECONDS)
            step = look()
    except KeyboardInterrupt as error:
        teller.end()
        say(
            f"Stopped watching; the upload goes on. See `orders uploads show {upload}`, or "
            f"call it back with `orders cancel {upload}`."
        )
        raise typer.Exit(ExitCode.STOPPED_WATCHING) from error
    teller.tell(step)
    teller.end()
    return step.account


def _refuse_dead_letter(opened: Opened, upload: UploadId) -> None:
    for letter in opened.intake_dead_letters():
        if letter.upload == upload:
            raise CommandFailed(f"Upload {upload} is not read: {letter.reason}.")


class _Teller:
    """Tells on stderr how it goes: one moving line on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._moves = is_lively(sys.stderr)
        self._state = ""
        self._said_at = 0.0

    def tell(self, step: Step) -> None:
        if self._moves:
            sys.stderr.write(f"\r\x1b[2K{step.sentence}")
            sys.stderr.flush()
            return
        now = time.monotonic()
        state = step.account.upload.state.value
        if state != self._state or now - self._said_at >= SAY_SECONDS:
            self._state, self._said_at = state, now
            say(step.sentence)

    def end(self) -> None:
        if self._moves:
            sys.stderr.write("\n")
