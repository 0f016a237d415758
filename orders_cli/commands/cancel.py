"""orders cancel: stop an upload."""

import time
from typing import Annotated

import typer

from ledger.uploads.upload import Account, UploadState
from orders_cli.aws import open_to_change
from orders_cli.command_options import UploadName, Yes, command_app, examples, whoami
from orders_cli.output import answer
from orders_cli.quantities import count

app = command_app()


@app.command(epilog=examples("orders cancel 5f3a --reason 'wrong price list'"))
def cancel(
    upload: UploadName,
    reason: Annotated[str, typer.Option(help="Why; others see it.")] = "",
    yes: Yes = False,
) -> None:
    """Cancel an upload.

    Reading and sending stop, and waiting orders are settled as cancelled. Orders that were sent
    stay sent.
    """
    aws = open_to_change(f"cancel upload {upload}", yes=yes)
    before = aws.find_account(upload)
    sentence = f"cancelled by {whoami()}" + (f": {reason}" if reason else "")
    after = aws.ledger.cancel(before.upload.id, reason=sentence, now=time.time())
    answer(_outcome(before, after))


def _outcome(before: Account, after: Account) -> str:
    name = f"upload {after.upload.id}"
    if after.upload.state is not UploadState.CANCELLED:
        return f"{name} had already ended ({after.upload.state.value}); nothing was changed"
    if before.upload.state is UploadState.CANCELLED:
        return f"{name} was already cancelled; {count(after.waiting, 'order')} still to settle"
    accepted = count(after.tally.accepted, "order")
    return f"{name} is cancelled; {accepted} had been accepted, {after.waiting:,} will not be sent"
