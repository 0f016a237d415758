"""orders cancel: how does a person call an upload back?"""

import time
from typing import Annotated

import typer

from ledger.uploads.upload import Account, UploadState
from orders_cli.naming import find_account
from orders_cli.opening import open_to_change
from orders_cli.person import whoami
from orders_cli.phrases import count
from orders_cli.speech import answer
from orders_cli.teaching import command_app, examples

app = command_app()


@app.command(epilog=examples("orders cancel 5f3a --reason 'wrong price list'"))
def cancel(
    upload: Annotated[str, typer.Argument(help="Its id, or the first letters of it.")],
    reason: Annotated[str, typer.Option(help="Why; others see it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask on a real account.")] = False,
) -> None:
    """Stop reading and sending an upload; what still waits is settled as cancelled.

    Orders that were sent stay sent.
    """
    opened = open_to_change(f"cancel upload {upload}", yes=yes)
    before = find_account(opened.ledger, upload, opened.look)
    sentence = f"cancelled by {whoami()}" + (f": {reason}" if reason else "")
    after = opened.ledger.cancel(before.upload.id, reason=sentence, now=time.time())
    answer(_outcome(before, after))


def _outcome(before: Account, after: Account) -> str:
    name = f"upload {after.upload.id}"
    if after.upload.state is not UploadState.CANCELLED:
        return f"{name} had ended before ({after.upload.state.value}); nothing was changed"
    if before.upload.state is UploadState.CANCELLED:
        return f"{name} had been cancelled before; {count(after.waiting, 'order')} still to settle"
    accepted = count(after.tally.accepted, "order")
    return f"{name} is cancelled; {accepted} had been accepted, {after.waiting:,} will not be sent"
