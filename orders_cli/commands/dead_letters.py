"""orders dead-letters: list refused orders, send them again, or set an order aside."""

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
from orders_cli.aws import Aws, open_to_change, open_to_read
from orders_cli.failures import CommandFailed, ExitCode, UsageWrong
from orders_cli.invalid_lines import shown
from orders_cli.json_documents import dead_letter_document, dead_letters_document, redriven_document
from orders_cli.local_file import new_key
from orders_cli.options import AsJson, UploadName, Yes, command_app, examples, whoami
from orders_cli.output import answer, answer_aligned, answer_json, answer_table, say
from orders_cli.preflight import check_ready
from orders_cli.quantities import count, moment
from orders_cli.redrive import Redriven, Redriver
from orders_cli.set_aside import why_not_set_aside
from orders_cli.source_orders import head_of

HEADERS = ("UPLOAD", "LINE", "ORDER", "STATUS", "TRIES", "REFUSED", "AGAIN AS", "REASON")

app = command_app()

_OfUpload = Annotated[
    str | None,
    typer.Option("--upload", help="Only of this upload: its id, or the first characters."),
]


@app.callback(epilog=examples("orders dead-letters list", "orders dead-letters redrive"))
def dead_letters() -> None:
    """Orders that the API refused; they are kept with the reason until a person acts."""


@app.command("list", epilog=examples("orders dead-letters list --upload 5f3a --json"))
def list_letters(
    upload: _OfUpload = None,
    limit: Annotated[int, typer.Option(min=1, help="List at most this many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List refused orders: of one upload in file order, or of all, newest first."""
    aws = open_to_read()
    letters = list(aws.ledger.dead_letters(_upload_id(aws, upload), limit=limit))
    if as_json:
        answer_json(dead_letters_document(letters))
        return
    if letters:
        answer_table(HEADERS, [_row(letter) for letter in letters])
    else:
        say("No order was refused.")


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
    document = dead_letter_document(letter)
    if as_json:
        answer_json(document)
        return
    shown_fields = {**document, "refused_at": moment(letter.refused_at)}
    for name in ("schema", "position", "first_attempt_at"):
        shown_fields.pop(name)
    answer_aligned([(name, str(value)) for name, value in shown_fields.items()])


@app.command(epilog=examples("orders dead-letters redrive --upload 5f3a"))
def redrive(upload: _OfUpload = None, as_json: AsJson = False, yes: Yes = False) -> None:
    """Send refused orders again, as one new upload for each original upload.

    Each is sent again once, however often this is run or interrupted. An order that was too large
    for the ledger and whose file is gone stays a dead letter; it is named on stderr.

    Exit codes: 0 all are sent again, 3 some are not.
    """
    aws = open_to_change("send refused orders again", yes=yes, with_bucket=True)
    settings = aws.settings
    limits = ReadingLimits(settings.line_bytes, settings.csv_delimiter)
    left: set[str] = set()
    redriver = Redriver(aws.ledger, aws.bucket, limits, partial(_say_lost, left))
    named = _upload_id(aws, upload)
    # Orders in a file that nobody reads would count as sent again.
    check_ready(aws, new_key(settings.upload_prefix, "redrive.jsonl"))
    done: list[Redriven] = []
    for one in [named] if named else redriver.waiting():
        try:
            _redrive_one(redriver, one, settings.upload_prefix, done)
        except CommandFailed as error:
            if error.exit_code is not ExitCode.PROBLEMS:
                raise
            # A problem with one upload's letters must not hold back those of the others.
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
    key_of = partial(new_key, prefix, f"redrive-of-{upload}.jsonl")
    for redriven in redriver.redrive_all(upload, new_key=key_of, now=time.time()):
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
    _check_can_set_aside(aws, account, line)
    if line is None:
        line = _first_waiting(aws, account)
        _check_can_set_aside(aws, account, line)
    name = f"{account.upload.id}/{line}"
    said = f"{reason} ({whoami()})" if reason else f"by {whoami()}"
    change(aws.ledger, lambda pace: steps.set_aside(pace, name, said))
    answer(f"line {line} of upload {account.upload.id} will be set aside")


def _check_can_set_aside(aws: Aws, account: Account, line: int | None) -> None:
    problem = why_not_set_aside(account, line, aws.ledger)
    if problem:
        raise UsageWrong(problem)


def _first_waiting(aws: Aws, account: Account) -> int:
    settings = aws.settings
    limits = ReadingLimits(settings.line_bytes, settings.csv_delimiter)
    upload = account.upload
    try:
        head = head_of(account, aws.bucket.opener(upload.source), limits)
    except SourceUnreadable as error:
        raise UsageWrong(
            f"The file of upload {upload.id} cannot be read for its first waiting order: {error};",
            hint="name an order with --line.",
        ) from error
    if head is None:
        raise UsageWrong(f"No order of upload {upload.id} is waiting.")
    return head.line


def _upload_id(aws: Aws, text: str | None) -> UploadId | None:
    return aws.find_account(text).upload.id if text else None


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
