"""orders resume: how does a person let sending go on?"""

import time
from typing import Annotated

import typer

from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.pace import Pace
from orders_cli.opening import open_to_change
from orders_cli.resuming import lifted_by_resume, resumed_sentence
from orders_cli.speech import answer
from orders_cli.teaching import command_app, examples

app = command_app()


@app.command(epilog=examples("orders resume"))
def resume(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask on a real account.")] = False,
) -> None:
    """Go on after a pause, or after something that blocked sending was put right.

    Every blocker is lifted and the refusal budget starts again. What still stands in the way is
    said, or blocks again by itself.
    """
    opened = open_to_change("resume sending", yes=yes)
    now = time.time()
    lifted: list[str] = []

    def step(pace: Pace) -> Pace:
        lifted[:] = lifted_by_resume(pace, now)
        return steps.resume(pace)

    after = change(opened.ledger, step)
    answer(resumed_sentence(lifted, after, now, opened.absence(after)))
