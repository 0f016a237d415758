"""orders dead-letters: which orders were refused, and what is to become of them?"""

import time
from functools import partial
from typing import Annotated

import typer

from ledger.pace import steps
from ledger.pace.change import change
from ledger.uploads.dead_letter import DeadLetter, position_of_line
from ledger.uploads.upload import Account
from orders.file_reading import ReadingLimits
from orders.formats import SourceUnreadable
from orders.upload import UploadId
from orders_cli.documents import dead_letter_document, dead_letters_document, redriven_document
from orders_cli.failures import CommandFailed, ExitCode, UsageWrong
from orders_cli.invalid_lines import shown
from orders_cli.naming import find_account
from orders_cli.opening import Opened, open_to_change, open_to_read
from orders_cli.person import whoami
from orders_cli.phrases import count, moment
from orders_cli.readiness import check_ready
from orders_cli.redriving import Redriven, Redriver
from orders_cli.setting_aside import why_not_set_aside
from orders_cli.source_lines import head_of
from orders_cli.speech import aligned, answer, answer_json, answer_table, say
from orders_cli.teaching import command_app, examples
from orders_cli.transfer import fresh_key

HEADERS = ("UPLOAD", "LINE", "ORDER", "STATUS", "TRIES", "REFUSED", "AGAIN AS", "REASON")

app = command_app()

_AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do not ask on a real account.")]
_UploadName = Annotated[
    str, typer.Argument(metavar="UPLOAD", help="Its id, or the first letters of it.")
]
_OfUpload = Annotated[
    str | None, typer.Option("--upload", help="Only of this upload: its id, or the first letters.")
]


@app.callback(epilog=examples("orders dead-letters list", "orders dead-letters redrive"))
def dead_letters() -> None:
    """Orders that the API refused: they are kept, with the reason, until a person acts."""


@app.command("list", epilog=examples("orders dead-letters list --upload 5f3a --json"))
def list_letters(
    upload: _OfUpload = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    as_json: _AsJson = False,
) -> None:
    """List refused orders: of one upload in file order, or of all, newest first."""
    opened = open_to_read()
    letters = list(opened.ledger.dead_letters(_upload_id(opened, upload), limit=limit))
    if as_json:
        answer_json(dead_letters_document(letters))
        return
    if letters:
        answer_table(HEADERS, [_row(letter) for letter in letters])
    else:
        say("No order was refused.")


@app.command(epilog=examples("orders dead-letters show 5f3a 17"))
def show(
    upload: _UploadName,
    line: Annotated[int, typer.Argument(metavar="LINE", min=1, help="The order's line.")],
    as_json: _AsJson = False,
) -> None:
    """Show one refused order with its body and the API's last answer."""
    opened = open_to_read()
    account = find_account(opened.ledger, upload, opened.look)
    letter = opened.ledger.read_dead_letter(account.upload.id, position_of_line(line))
    if letter is None:
        raise UsageWrong(f"Line {line} of upload {account.upload.id} was not refused.")
    document = dead_letter_document(letter)
    if as_json:
        answer_json(document)
        return
    shown_fields = {**document, "refused_at": moment(letter.refused_at)}
    for name in ("schema", "position", "first_attempt_at"):
        shown_fields.pop(name)
    for text in aligned([(name, str(value)) for name, value in shown_fields.items()]):
        answer(text)


@app.command(epilog=examples("orders dead-letters redrive --upload 5f3a"))
def redrive(upload: _OfUpload = None, as_json: _AsJson = False, yes: _Yes = False) -> None:
    """Send refused orders again, as a new upload for each upload that they are from.

    Each is sent again once, however often this is run or interrupted. An order that was too large
    for the ledger and whose file is gone stays a dead letter; it is named on stderr.

    Exit codes: 0 all are on their way, 3 some are not.
    """
    opened = open_to_change("send refused orders again", yes=yes, with_bucket=True)
    settings = opened.settings
    limits = ReadingLimits(settings.line_bytes, settings.csv_delimiter)
    left: set[str] = set()
    redriver = Redriver(opened.ledger, opened.storage, limits, partial(_say_lost, left))
    named = _upload_id(opened, upload)
    # A file that nobody reads would be taken for orders that are sent again.
    check_ready(opened, fresh_key(settings.upload_prefix, "redrive.jsonl"))
    done: list[Redriven] = []
    for one in [named] if named else redriver.waiting():
        try:
            _redrive_one(redriver, one, settings.upload_prefix, done)
        except CommandFailed as error:
            if error.exit_code is not ExitCode.PROBLEMS:
                raise
            # What is wrong with one upload's letters must not keep those of the others back.
            _say_once(left, str(error))
    if as_json:
        answer_json(redriven_document(done))
    else:
        for each in done:
            answer(each.redriven_as)
        if not done and not left:
            say("There is nothing to send again.")
    if left:
        raise typer.Exit(ExitCode.PROBLEMS)


def _redrive_one(redriver: Redriver, upload: UploadId, prefix: str, done: list[Redriven]) -> None:
    """Send an upload's letters again; each new upload goes into `done` as soon as it is stored."""
    new_key = partial(fresh_key, prefix, f"redrive-of-{upload}.jsonl")
    for redriven in redriver.redrive_all(upload, fresh_key=new_key, now=time.time()):
        done.append(redriven)
        say(f"{count(redriven.orders, 'order')} of {upload} again as {redriven.redriven_as}")


def _say_lost(said: set[str], letter: DeadLetter, why: str) -> None:
    _say_once(
        said,
        f"Line {letter.line} of upload {letter.upload} is not sent again: it was too large for the "
        f"ledger, and {why}. Upload that order in a new file.",
    )


def _say_once(said: set[str], sentence: str) -> None:
    if sentence not in said:
        said.add(sentence)
        say(sentence)


@app.command("set-aside", epilog=examples("orders dead-letters set-aside 5f3a --reason 'typo'"))
def set_aside(
    upload: _UploadName,
    line: Annotated[
        int | None,
        typer.Option(min=1, help="The order's line; unset: the first that is not settled."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the order.")] = "",
    yes: _Yes = False,
) -> None:
    """Refuse an order by hand, so that it does not hold up those behind it.

    It becomes a dead letter, which can be sent again later.
    """
    what = f"set aside line {line} of" if line else "set aside the first waiting order of"
    opened = open_to_change(f"{what} upload {upload}", yes=yes, with_bucket=line is None)
    account = find_account(opened.ledger, upload, opened.look)
    _refuse_in_vain(opened, account, line)
    if line is None:
        line = _first_waiting(opened, account)
        _refuse_in_vain(opened, account, line)
    name = f"{account.upload.id}/{line}"
    said = f"{reason} ({whoami()})" if reason else f"by {whoami()}"
    change(opened.ledger, lambda pace: steps.set_aside(pace, name, said))
    answer(f"line {line} of upload {account.upload.id} will be set aside")


def _refuse_in_vain(opened: Opened, account: Account, line: int | None) -> None:
    against = why_not_set_aside(account, line, opened.ledger)
    if against:
        raise UsageWrong(against)


def _first_waiting(opened: Opened, account: Account) -> int:
    settings = opened.settings
    limits = ReadingLimits(settings.line_bytes, settings.csv_delimiter)
    upload = account.upload
    try:
        head = head_of(account, opened.storage.opener(upload.source), limits)
    except SourceUnreadable as error:
        raise UsageWrong(
            f"The file of upload {upload.id} cannot be read for its first waiting order: {error};",
            hint="name an order with --line.",
        ) from error
    if head is None:
        raise UsageWrong(f"No order of upload {upload.id} is waiting.")
    return head.line


def _upload_id(opened: Opened, text: str | None) -> UploadId | None:
    return find_account(opened.ledger, text, opened.look).upload.id if text else None


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
