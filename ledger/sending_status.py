"""Whether sending continues, and if not, why and since when."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ledger.advice import OtherCause
from ledger.pace.hold import HoldKind
from ledger.pace.pace import NO_RATE, Pace, is_shard_blocker
from ledger.pace.turns import shut_now
from ledger.workers import Absence

SHORT_HOLD_SECONDS = 60.0
"""After a longer hold it is unknown when sending will resume."""


class SendingState(StrEnum):
    """The state of sending."""

    RUNNING = "running"
    PAUSED = "paused"
    HELD = "held"
    BLOCKED = "blocked"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SendingStatus:
    """Whether sending continues.

    reason: a sentence for people. cause: a key of `ledger.advice.ADVICE`, or what a later release
    wrote. Both are empty while it runs.
    since, until: when that began and when it ends by itself, if that is known.
    has_worker: is one alive? Without a worker nothing is sent in any state.
    """

    state: SendingState
    reason: str = ""
    cause: str = ""
    since: float | None = None
    until: float | None = None
    has_worker: bool = True


def sending_status(pace: Pace, now: float, absent: Absence | None = None) -> SendingStatus:
    """The status of sending; what needs a person comes first.

    absent: no worker is alive. A pause or a blocker lasts until a person lifts it, whether a worker
    is alive or not, so these are named first.
    """
    status = _until_person_acts(pace, now)
    if status and absent:
        reason = f"{status.reason}; besides, {absent.sentence}"
        return replace(status, reason=reason, has_worker=False)
    if status:
        return status
    if absent:
        state, cause = SendingState.STOPPED, OtherCause.NO_WORKER
        return SendingStatus(state, absent.sentence, cause, absent.since, has_worker=False)
    if pace.rate(now) is None:
        return SendingStatus(SendingState.BLOCKED, NO_RATE, OtherCause.NO_RATE)
    if pace.hold:
        kind = pace.hold.kind.value
        state = SendingState.BLOCKED if pace.hold.needs_person else SendingState.HELD
        return SendingStatus(state, f"{kind}: {pace.hold.why}", kind, since=pace.hold.since)
    return _shut(pace, now) or SendingStatus(SendingState.RUNNING)


def _shut(pace: Pace, now: float) -> SendingStatus | None:
    room = shut_now(pace, now)
    if room is None or room.why is None:
        return None
    what = f"the quota of {room.quota} is used up" if room.quota else room.why.value
    zone = pace.limits.parsed.zone
    ends = datetime.fromtimestamp(room.start, zone).strftime("%Y-%m-%d %H:%M:%S %Z")
    return SendingStatus(
        SendingState.HELD,
        f"{what}; sending goes on at {ends}",
        room.why,
        since=min(pace.next_free, now),
        until=room.start,
    )


def _until_person_acts(pace: Pace, now: float) -> SendingStatus | None:
    for name, blocker in sorted(pace.blockers.items()):
        where = f" ({name})" if is_shard_blocker(name) else ""
        reason = f"{blocker.reason}: {blocker.detail}{where}"
        return SendingStatus(SendingState.BLOCKED, reason, blocker.reason, blocker.since)
    pause = pace.pause_at(now)
    if pause is None:
        return None
    reason = f"paused by {pause.by}: {pause.reason}"
    return SendingStatus(SendingState.PAUSED, reason, OtherCause.PAUSED, pause.since, pause.until)


def halted_since(pace: Pace, now: float) -> float | None:
    """Since when sending has been halted for a reason that does not affect its pace.

    After a pause, a blocker or an outage the pace is the same as before. Throttling by the API is
    part of the pace that it allows, unless it asks for a long wait.
    """
    moments = [blocker.since for blocker in pace.blockers.values()]
    pause, hold = pace.pause_at(now), pace.hold
    if pause:
        moments.append(pause.since)
    if hold and (hold.kind is not HoldKind.THROTTLED or now - hold.since > SHORT_HOLD_SECONDS):
        moments.append(hold.since)
    if shut_now(pace, now):
        moments.append(min(pace.next_free, now))  # the end of the last turn
    return min(moments, default=None)
