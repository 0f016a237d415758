"""Does sending go on, and if not, why, and since when?"""

from dataclasses import dataclass
from enum import StrEnum

from ledger.advice import ADVICE, OtherCause
from ledger.pace.hold import HoldKind
from ledger.pace.pace import Pace
from ledger.workers import Absence

NO_RATE = f"no rate is set: {ADVICE[OtherCause.NO_RATE].action}"
SHORT_HOLD_SECONDS = 60.0
"""After a longer hold nobody can say when sending will go on."""


class SendingState(StrEnum):
    """Does sending go on?"""

    RUNNING = "running"
    PAUSED = "paused"
    HELD = "held"
    BLOCKED = "blocked"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SendingStatus:
    """Whether sending goes on.

    reason: a sentence for people. cause: a key of `ledger.advice.ADVICE`, or what a later release
    wrote. Both are empty while it runs.
    since, until: when that began and when it ends by itself, where that is known.
    has_worker: is one alive? Without it nothing is sent, whatever else stands in the way.
    """

    state: SendingState
    reason: str = ""
    cause: str = ""
    since: float | None = None
    until: float | None = None
    has_worker: bool = True


def sending_status(pace: Pace, now: float, absent: Absence | None = None) -> SendingStatus:
    """Whether sending goes on, and if not, why: what needs a person comes first.

    absent: that no worker is alive. A pause and what blocks sending were put there for a person to
    lift, and stand until then whether a worker lives or not, so they are named first.
    """
    besides = f"; besides, {absent.sentence}" if absent else ""
    for name, blocker in sorted(pace.blockers.items()):
        where = f" ({name})" if name.startswith("shardId-") else ""
        reason = f"{blocker.reason}: {blocker.detail}{where}{besides}"
        return SendingStatus(
            SendingState.BLOCKED, reason, blocker.reason, blocker.since, has_worker=not absent
        )
    pause = pace.pause_at(now)
    if pause:
        return SendingStatus(
            SendingState.PAUSED,
            f"paused by {pause.by}: {pause.reason}{besides}",
            OtherCause.PAUSED,
            pause.since,
            pause.until,
            has_worker=not absent,
        )
    if absent:
        return SendingStatus(
            SendingState.STOPPED,
            absent.sentence,
            OtherCause.NO_WORKER,
            absent.since,
            has_worker=False,
        )
    if pace.rate(now) is None:
        return SendingStatus(SendingState.BLOCKED, NO_RATE, OtherCause.NO_RATE)
    if pace.hold:
        kind = pace.hold.kind.value
        state = SendingState.BLOCKED if pace.hold.needs_person else SendingState.HELD
        return SendingStatus(state, f"{kind}: {pace.hold.why}", kind, since=pace.hold.since)
    return SendingStatus(SendingState.RUNNING)


def halted_since(pace: Pace, now: float) -> float | None:
    """Since when sending has been standing still for a reason that says nothing of its speed.

    A pause, a blocker and an outage end, and the pace after them is that from before. What the API
    throttles is part of the speed that it allows, unless it asks for a long wait.
    """
    moments = [blocker.since for blocker in pace.blockers.values()]
    pause, hold = pace.pause_at(now), pace.hold
    if pause:
        moments.append(pause.since)
    if hold and (hold.kind is not HoldKind.THROTTLED or now - hold.since > SHORT_HOLD_SECONDS):
        moments.append(hold.since)
    return min(moments, default=None)
