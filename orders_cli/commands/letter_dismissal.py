"""orders dead-letters dismiss: nobody needs to act on a refused order any more."""

import time
from itertools import islice
from typing import Annotated

import typer

from ledger.uploads.dead_letter import Closure, is_closable
from orders_cli.aws import Aws, open_to_change
from orders_cli.command_options import AsJson, Yes, whoami
from orders_cli.corrections import CLOSED_AT_ONCE, MANY_LETTERS
from orders_cli.failures import CommandFailed, UsageWrong
from orders_cli.json_documents import document
from orders_cli.letter_names import NamedLetters, find_named, read_open_letter
from orders_cli.output import answer, answer_json
from orders_cli.quantities import count

DISMISS_EXAMPLES = (
    "orders dead-letters dismiss 5f3a/17 --reason 'the customer cancelled'",
    "orders dead-letters dismiss 5f3a --yes",
)


def dismiss(
    letter: Annotated[
        str,
        typer.Argument(
            metavar="UPLOAD[/LINE]", help="One refused order, or with --yes all of an upload."
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why; kept with the order.")] = "",
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Dismiss refused orders: nobody will send them again.

    They are kept, with who dismissed them, when and why, and no count of the upload changes; but
    they are no longer listed (`list --all` does) and never sent again.
    """
    aws = open_to_change(f"dismiss {letter}", yes=yes)
    named = find_named(aws, letter)
    if named.position is None and not yes:
        raise UsageWrong(
            f"{letter} is a whole upload.", hint="Add --yes to dismiss all its refused orders."
        )
    closure = Closure(time.time(), whoami(), reason)
    closed = (
        _dismiss_all(aws, named, closure) if named.position is None else _one(aws, named, closure)
    )
    if as_json:
        answer_json(document(upload=named.upload, dismissed=closed))
    else:
        answer(f"{count(closed, 'refused order')} of {named.upload} dismissed")


def _one(aws: Aws, named: NamedLetters, closure: Closure) -> int:
    letter = read_open_letter(aws, named)
    if not aws.ledger.close_letters([letter], closure):
        raise CommandFailed(
            "This order is just being sent again.",
            hint=f"End that first: `orders dead-letters redrive --upload {named.upload}`.",
        )
    return 1


def _dismiss_all(aws: Aws, named: NamedLetters, closure: Closure) -> int:
    letters = filter(is_closable, aws.ledger.dead_letters(named.upload, limit=MANY_LETTERS))
    closed = 0
    while some := list(islice(letters, CLOSED_AT_ONCE)):
        closed += aws.ledger.close_letters(some, closure)
    return closed
