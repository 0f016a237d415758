"""orders dead-letters: list and show refused orders, or set an order aside.

`dismiss`, `export` and `redrive` are modules beside this one.
"""

from typing import Annotated

import typer

from ledger.pace import steps
from ledger.pace.change import change
from ledger.uploads.dead_letter import DeadLetter, position_of_line
from ledger.uploads.upload import Account
from orders.formats import SourceUnreadable
from orders.upload import UploadId
from orders_cli.aws import Aws, open_to_change, open_to_read
from orders_cli.command_options import (
    AsJson,
    OfUpload,
    UploadName,
    Yes,
    command_app,
    examples,
    whoami,
)
from orders_cli.commands.letter_dismissal import DISMISS_EXAMPLES, dismiss
from orders_cli.commands.letter_export import EXPORT_EXAMPLES, export
from orders_cli.commands.letter_redrive import REDRIVE_EXAMPLES, redrive
from orders_cli.failures import UsageWrong
from orders_cli.invalid_lines import shown
from orders_cli.json_documents import dead_letter_fields, document
from orders_cli.letter_names import find_named
from orders_cli.output import answer, answer_aligned, answer_json, answer_table, say
from orders_cli.quantities import moment
from orders_cli.set_aside import check_can_set_aside
from orders_cli.source_orders import head_of

HEADERS = ("UPLOAD", "LINE", "ORDER", "STATUS", "TRIES", "REFUSED", "AGAIN AS", "REASON")
_CLOSED_HEADERS = (*HEADERS, "CLOSED")

app = command_app()


@app.callback(epilog=examples("orders dead-letters list", "orders dead-letters redrive"))
def dead_letters() -> None:
    """List refused orders, or send them again.

    Orders that the API refused are kept with the reason until a person acts.
    """


@app.command("list", epilog=examples("orders dead-letters list --upload 5f3a --json"))
def list_letters(
    upload: OfUpload = None,
    limit: Annotated[int, typer.Option(min=1, help="List at most this many.")] = 100,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were dismissed or corrected.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List refused orders: of one upload in file order, or of all, newest first."""
    aws = open_to_read()
    found = aws.ledger.dead_letters(_upload_id(aws, upload), limit=limit, with_closed=everything)
    letters = list(found)
    if as_json:
        answer_json(document(dead_letters=[dead_letter_fields(letter) for letter in letters]))
        return
    if not letters:
        say("No refused order waits for a person.")
    elif everything:
        answer_table(_CLOSED_HEADERS, [(*_row(one), _closed_how(one)) for one in letters])
    else:
        answer_table(HEADERS, [_row(letter) for letter in letters])


@app.command(epilog=examples("orders dead-letters show 5f3a 17"))
def show(
    upload: UploadName,
    line: Annotated[int, typer.Argument(metavar="LINE", min=1, help="The order's line.")],
    as_json: AsJson = False,
) -> None:
    """Show one refused order with its body and the API's last answer."""
    aws = open_to_read()
    account = aws.find_account(upload)
    letter = aws.ledger.read_dead_letter(account.upload.id, position_of_line(line))
    if letter is None:
        raise UsageWrong(f"Line {line} of upload {account.upload.id} was not refused.")
    fields = dead_letter_fields(letter)
    if as_json:
        answer_json(document(**fields))
        return
    fields["refused_at"] = moment(letter.refused_at)
    fields["closure"] = _closed_how(letter)
    hidden = ("position", "first_attempt_at")
    answer_aligned([(name, str(fields[name])) for name in fields if name not in hidden])


app.command(epilog=examples(*DISMISS_EXAMPLES))(dismiss)
app.command(epilog=examples(*EXPORT_EXAMPLES))(export)
app.command(epilog=examples(*REDRIVE_EXAMPLES))(redrive)


@app.command("set-aside", epilog=examples("orders dead-letters set-aside 5f3a --reason 'typo'"))
def set_aside(
    upload: UploadName,
    line: Annotated[
        int | None,
        typer.Option(min=1, help="The order's line; omit for the first one not settled."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept with the order.")] = "",
    yes: Yes = False,
) -> None:
    """Refuse an order manually, so that it does not hold up the ones behind it.

    It becomes a dead letter, which can be sent again later.
    """
    what = f"set aside line {line} of" if line else "set aside the first waiting order of"
    aws = open_to_change(f"{what} upload {upload}", yes=yes, with_bucket=line is None)
    account = aws.find_account(upload)
    check_can_set_aside(account, line, aws.ledger)
    if line is None:
        line = _first_waiting(aws, account)
        check_can_set_aside(account, line, aws.ledger)
    name = f"{account.upload.id}/{line}"
    said = f"{reason} ({whoami()})" if reason else f"by {whoami()}"
    change(aws.ledger, lambda pace: steps.set_aside(pace, name, said))
    answer(f"line {line} of upload {account.upload.id} will be set aside")


def _first_waiting(aws: Aws, account: Account) -> int:
    upload = account.upload
    try:
        opener = aws.bucket.opener(upload.source)
        head = head_of(account, opener, aws.settings.reading_limits)
    except SourceUnreadable as error:
        raise UsageWrong(
            f"The file of upload {upload.id} cannot be read for its first waiting order: {error};",
            hint="name an order with --line.",
        ) from error
    if head is None:
        raise UsageWrong(f"No order of upload {upload.id} is waiting.")
    return head.line


def _upload_id(aws: Aws, text: str | None) -> UploadId | None:
    return find_named(aws, text).upload if text else None


def _closed_how(letter: DeadLetter) -> str:
    closure = letter.closure
    if closure is None:
        return "-"
    if closure.corrected_in:
        return f"corrected in {closure.corrected_in}"
    why = f": {closure.reason}" if closure.reason else ""
    return shown(f"dismissed by {closure.by}, {moment(closure.at)}{why}".encode())


def _row(letter: DeadLetter) -> tuple[str, ...]:
    return (
        letter.upload,
        str(letter.line or letter.position),
        shown(letter.order_id.encode()),
        str(letter.status or "-"),
        str(letter.attempts),
        moment(letter.refused_at),
        letter.redriven_as or "-",
        shown(letter.reason.encode()),
    )
