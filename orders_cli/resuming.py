"""What did `orders resume` lift, and what still stands in the way?"""

from collections.abc import Sequence

from ledger.advice import action_beside_reason
from ledger.pace.pace import Pace
from ledger.sending_status import SendingState, sending_status
from ledger.workers import Absence


def lifted_by_resume(pace: Pace, now: float) -> list[str]:
    """What a resume of this pace lifts; a pause that ran out stood in nobody's way."""
    lifted = ["the pause"] if pace.pause_at(now) else []
    lifted.extend(f"{blocker.reason} ({blocker.detail})" for blocker in pace.blockers.values())
    return lifted


def resumed_sentence(
    lifted: Sequence[str], after: Pace, now: float, absent: Absence | None = None
) -> str:
    """The answer. after: the pace as the resume left it; a hold stands until the API answers.

    absent: that no worker is alive.
    """
    sending = sending_status(after, now, absent)
    stands = sending.state is not SendingState.RUNNING
    parts = ["resumed"]
    if lifted:
        parts.append(f"lifted: {', '.join(lifted)}")
    elif not stands:
        parts.append("nothing stood in the way")
    if stands:
        parts.append(f"still in the way ({sending.state.value}): {sending.reason}")
    action = action_beside_reason(sending.cause)
    if action:
        parts.append(action)
    return "; ".join(parts)
