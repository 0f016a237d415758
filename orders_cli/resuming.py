"""What did `orders resume` lift, and what still stands in the way?"""

from collections.abc import Sequence

from ledger.pace.hold import HoldKind
from ledger.pace.pace import Pace
from ledger.sending import SendingState, sending_of
from ledger.workers import Absence

_AS_IT_ENDS = "it is tried again by itself, and sending goes on once the API takes an order"
_WHAT_TO_DO = {
    HoldKind.UNAUTHORIZED.value: "put the right credential where ORDERS_API_TOKEN_FILE or "
    "ORDERS_API_TOKEN_SECRET points (a new ORDERS_API_TOKEN needs a restart); " + _AS_IT_ENDS,
    HoldKind.THROTTLED.value: _AS_IT_ENDS,
    HoldKind.UNAVAILABLE.value: _AS_IT_ENDS,
}
"""By the cause of the sending; that no rate is set says itself what to do."""


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
    sending = sending_of(after, now, absent)
    stands = sending.state is not SendingState.RUNNING
    parts = ["resumed"]
    if lifted:
        parts.append(f"lifted: {', '.join(lifted)}")
    elif not stands:
        parts.append("nothing stood in the way")
    if stands:
        parts.append(f"still in the way ({sending.state.value}): {sending.reason}")
    if sending.cause in _WHAT_TO_DO:
        parts.append(_WHAT_TO_DO[sending.cause])
    return "; ".join(parts)
