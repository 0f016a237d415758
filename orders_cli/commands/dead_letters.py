"""orders dead-letters: list refused orders, send them again, or set an order aside."""

import time
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Annotated

import typer

from ledger.pace import steps
from ledger.pace.change import change
from ledger.uploads.dead_letter import DeadLetter, position_of_line
from ledger.uploads.upload import Account
from orders.formats import SourceUnreadable
from orders.upload import UploadId
from orders_cli.aws import Aws, open_to_change, open_to_read
from orders_cli.command_options import AsJson, UploadName, Yes, command_app, examples, whoami
from orders_cli.failures import CommandFailed, ExitCode, UsageWrong
from orders_cli.invalid_lines import shown
from orders_cli.json_documents import dead_letter_fields, document
from orders_cli.local_file import new_key
from orders_cli.output import answer, answer_aligned, answer_json, answer_table, say
from orders_cli.preflight import check_ready
from orders_cli.quantities import count, moment
from orders_cli.redriver import Redriven, Redriver
from orders_cli.set_aside import check_can_set_aside
from orders_cli.source_orders import head_of

HEADERS = ("UPLOAD", "LINE", "ORDER", "STATUS", "TRIES", "REFUSED", "AGAIN AS", "REASON")

app = command_app()

_OfUpload = Annotated[
    str | None,
    typer.Option("--upload", help="Only of this upload: its id, or the first characters."),
]


@app.callback(epilog=examples("orders dead-letters list", "orders dead-letters redrive"))
def dead_letters() -> None:
    """List refused orders, or send them again.

    Orders that the API refused are kept with the reason until a person acts.
    """


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
        answer_json(document(dead_letters=[dead_letter_fields(letter) for letter in letters]))
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
    fields = dead_letter_fields(letter)
    if as_json:
        answer_json(document(**fields))
        return
    fields["refused_at"] = moment(letter.refused_at)
    hidden = ("position", "first_attempt_at")
    answer_aligned([(name, str(fields[name])) for name in fields if name not in hidden])


@app.command(epilog=examples("orders dead-letters redrive --upload 5f3a"))
def redrive(upload: _OfUpload = None, as_json: AsJson = False, yes: Yes = False) -> None:
    """Send refused orders again, as one new upload for each original upload.

    Each is sent again once, however often this is run or interrupted. An order that was too large
    for the ledger and whose file is gone stays a dead letter; it is named on stderr.

    Exit codes: 0 all are sent again, 3 some are not.
    """
    aws = open_to_change("send refused orders again", yes=yes, with_bucket=True)
    prefix = aws.settings.upload_prefix
    problems = _Problems()
    redriver = Redriver(aws.ledger, aws.bucket, aws.settings.reading_limits, problems.add_lost)
    named = _upload_id(aws, upload)
    # Orders in a file that nobody reads would count as sent again.
    check_ready(aws, new_key(prefix, "redrive.jsonl"))
    done: list[Redriven] = []
    for one in [named] if named else sorted(aws.ledger.redrivable_uploads()):
        try:
            _redrive_one(redriver, one, prefix, done)
        except CommandFailed as error:
            if error.exit_code is not ExitCode.PROBLEMS:
                raise
            # A problem with one upload's letters must not hold back those of the others.
            problems.add(str(error))
    if as_json:
        answer_json(document(redriven=[asdict(one) for one in done]))
    elif done:
        answer("\n".join(one.redriven_as for one in done))
    elif not problems.said:
        say("There is nothing to send again.")
    if problems.said:
        raise typer.Exit(ExitCode.PROBLEMS)


@dataclass(frozen=True, slots=True)
class _Problems:
    """What is not sent again; each problem is said once."""

    said: set[str] = field(default_factory=set)

    def add(self, problem: str) -> None:
        if problem not in self.said:
            self.said.add(problem)
            say(problem)

    def add_lost(self, letter: DeadLetter, why: str) -> None:
        self.add(
            f"Line {letter.line} of upload {letter.upload} is not sent again: it was too large for "
            f"the ledger, and {why}. Upload that order in a new file."
        )


def _redrive_one(redriver: Redriver, upload: UploadId, prefix: str, done: list[Redriven]) -> None:
    """Each new upload is in `done` as soon as it is stored."""
    key_of = partial(new_key, prefix, f"redrive-of-{upload}.jsonl")
    for redriven in redriver.redrive_all(upload, new_key=key_of, now=time.time()):
        done.append(redriven)
        say(f"{count(redriven.orders, 'order')} of {upload} again as {redriven.redriven_as}")


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
