"""orders dead-letters redrive: send refused orders again."""

import time
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Annotated

import typer

from ledger.uploads.dead_letter import UNREADABLE, DeadLetter
from orders.upload import UploadId
from orders.upload_keys import redriving_name
from orders_cli.aws import Aws, open_to_change
from orders_cli.command_options import AsJson, OfUpload, Yes, whoami
from orders_cli.corrections import corrections_in
from orders_cli.failures import CommandFailed, ExitCode, UsageWrong
from orders_cli.json_documents import document
from orders_cli.letter_names import NamedLetters, find_named, read_open_letter
from orders_cli.local_file import new_key
from orders_cli.output import answer, answer_json, say
from orders_cli.preflight import check_ready
from orders_cli.quantities import count
from orders_cli.redriver import Redriven, Redriver

REDRIVE_EXAMPLES = (
    "orders dead-letters redrive --upload 5f3a",
    "orders dead-letters redrive 5f3a/17",
)


def redrive(
    letter: Annotated[
        str | None, typer.Argument(metavar="[UPLOAD/LINE]", help="One refused order; omit for all.")
    ] = None,
    upload: OfUpload = None,
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Send refused orders again, as one new upload for each original upload.

    Each is sent again once, however often this is run or interrupted. An order that was too large
    for the ledger and whose file is gone stays a dead letter; it is named on stderr. So does one
    that an upload corrects which has not sent it yet (`orders upload --corrects`).

    Exit codes: 0 all are sent again, 3 some are not.
    """
    aws = open_to_change("send refused orders again", yes=yes, with_bucket=True)
    prefix = aws.settings.upload_prefix
    problems = _Problems()
    named = _named(aws, letter, upload)
    # Orders in a file that nobody reads would count as sent again.
    check_ready(aws, new_key(prefix, "redrive.jsonl"))
    done: list[Redriven] = []
    for one in [named.upload] if named else sorted(aws.ledger.redrivable_uploads()):
        try:
            position = named.position if named else None
            _redrive_one(_redriver(aws, one, position, problems), one, prefix, done)
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

    def add_waiting(self, letter: DeadLetter, correcting: UploadId) -> None:
        self.add(
            f"Line {letter.line} of upload {letter.upload} is not sent again: upload {correcting} "
            f"corrects it and has not sent it yet."
        )


def _named(aws: Aws, letter: str | None, upload: str | None) -> NamedLetters | None:
    if letter is None:
        return find_named(aws, upload) if upload else None
    if upload is not None:
        raise UsageWrong("Name one order (UPLOAD/LINE) or an --upload, not both.")
    named = find_named(aws, letter)
    if named.position is None:
        raise UsageWrong(f"{letter} names no line;", hint=f"mean all by --upload {letter}.")
    if named.upload == UNREADABLE:
        raise UsageWrong("That record of the stream is no order: it cannot be sent again.")
    read_open_letter(aws, named)
    return named


def _redriver(aws: Aws, upload: UploadId, position: str | None, problems: _Problems) -> Redriver:
    """What sends the letters of one upload again, or the one at `position`."""
    corrections = corrections_in(aws)
    corrected = corrections.close(upload, by=whoami(), now=time.time())

    def is_meant(letter: DeadLetter) -> bool:
        if position is not None and letter.position != position:
            return False
        correcting = corrected.waiting.get(letter.order_id)
        if correcting:
            problems.add_waiting(letter, correcting)
        return correcting is None

    limits = aws.settings.reading_limits
    return Redriver(aws.ledger, aws.bucket, limits, problems.add_lost, is_meant)


def _redrive_one(redriver: Redriver, upload: UploadId, prefix: str, done: list[Redriven]) -> None:
    """Each new upload is in `done` as soon as it is stored."""
    key_of = partial(new_key, prefix, redriving_name(upload))
    for redriven in redriver.redrive_all(upload, new_key=key_of, now=time.time()):
        done.append(redriven)
        say(f"{count(redriven.orders, 'order')} of {upload} again as {redriven.redriven_as}")
