"""orders resume: send again after a pause or a blocker."""

import time
from collections.abc import Sequence

from ledger.advice import action_beside_reason
from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.pace import Pace
from ledger.sending_status import SendingState, sending_status
from ledger.workers import Absence
from orders_cli.aws import open_to_change
from orders_cli.command_options import Yes, command_app, examples
from orders_cli.output import answer

app = command_app()


@app.command(epilog=examples("orders resume"))
def resume(yes: Yes = False) -> None:
    """Resume sending after a pause or a block.

    Fix the cause of a block first. Every block is lifted and the refusal budget is reset. What
    still stands in the way is named, or blocks again by itself.
    """
    aws = open_to_change("resume sending", yes=yes)
    now = time.time()
    lifted: list[str] = []

    def step(pace: Pace) -> Pace:
        lifted[:] = lifted_by_resume(pace, now)
        return steps.resume(pace)

    after = change(aws.ledger, step)
    answer(resumed_sentence(lifted, after, now, aws.absence(after)))


def lifted_by_resume(pace: Pace, now: float) -> list[str]:
    """What a resume of this pace lifts; an expired pause blocked nothing."""
    lifted = ["the pause"] if pace.pause_at(now) else []
    lifted.extend(f"{blocker.reason} ({blocker.detail})" for blocker in pace.blockers.values())
    return lifted


def resumed_sentence(
    lifted: Sequence[str], after: Pace, now: float, absent: Absence | None = None
) -> str:
    """The answer. after: the pace after the resume; a hold stands until the API answers.

    absent: that no worker is alive.
    """
    sending = sending_status(after, now, absent)
    parts = ["resumed"]
    if lifted:
        parts.append(f"lifted: {', '.join(lifted)}")
    if sending.state is not SendingState.RUNNING:
        parts.append(f"still in the way ({sending.state.value}): {sending.reason}")
        parts.append(action_beside_reason(sending.cause))
    elif not lifted:
        parts.append("nothing stood in the way")
    return "; ".join(part for part in parts if part)
