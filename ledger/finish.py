"""The finish date: when all orders will be sent.

One rule for metrics, status page, `orders status` and `orders estimate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ledger.evidence import Evidence, stall_after_seconds
from ledger.pace.forecast import seconds_to_send, sent_until
from ledger.pace.pace import NO_RATE, Pace
from ledger.sending_status import SHORT_HOLD_SECONDS, SendingState, SendingStatus
from ledger.uploads.upload import Account, UploadState
from orders.rate import parse_rate

EVIDENCE_SECONDS = 30.0
"""With less evidence than this the estimate assumes the target."""
TRUSTED_SECONDS = 180.0
LOST_SECONDS = 10.0
"""With less evidence than TRUSTED_SECONDS it does so until more than this was lost: an interruption
of a few seconds is not a slower pace."""
LOST_SHARE = 0.01
LOST_INTERVALS = 2
"""With more evidence it does so while no more than this was lost: a count of whole orders, or whole
batches, is off by one at either end."""
UNLIMITED_AND_UNMEASURED = "the pace has no limit, and nothing was sent in the last minute"


class Basis(StrEnum):
    """Which pace the estimate is based on."""

    TARGET = "target"
    ACHIEVED = "achieved"


@dataclass(frozen=True, slots=True)
class Estimate:
    """When all orders will be sent.

    seconds: from now; None if that is unknown, and `reason` says why.
    basis, per_second: the pace that it is based on, None if none is needed or known.
    starts_in_seconds: until a pause or a short hold ends.
    unread: how many of the orders are still to be read, estimated from the files' sizes.
    is_lower_bound: the size of an upload is not known yet, so it may take longer.
    """

    seconds: float | None
    reason: str = ""
    basis: Basis | None = None
    per_second: float | None = None
    starts_in_seconds: float = 0.0
    unread: int = 0
    is_lower_bound: bool = False


def estimate_finish(
    accounts: Sequence[Account], pace: Pace, sending: SendingStatus, seen: Evidence, now: float
) -> Estimate:
    """When the open uploads will be sent. seen: what was sent at the current rate."""
    to_send = sum(orders_to_send(account) for account in accounts)
    unread = sum(unread_orders(account) for account in accounts)
    uploads = (account.upload for account in accounts)
    is_lower_bound = any(u.state is UploadState.READING and not u.estimate for u in uploads)
    found = _estimate(to_send, pace, sending, seen, now)
    return replace(found, unread=unread, is_lower_bound=is_lower_bound)


def orders_to_send(account: Account) -> int:
    """The orders of an open upload that still take a turn, as far as is known."""
    if account.upload.state is UploadState.CANCELLED:
        return 0
    return account.waiting + unread_orders(account)


def unread_orders(account: Account) -> int:
    """How many orders the rest of a file probably holds, by the lines that admission estimated."""
    upload = account.upload
    if upload.state is not UploadState.READING:
        return 0
    lines_read = account.lines_read
    unread_lines = max(0, upload.estimate - lines_read)
    return round(unread_lines * account.enqueued / lines_read) if lines_read else unread_lines


def _estimate(
    to_send: int, pace: Pace, sending: SendingStatus, seen: Evidence, now: float
) -> Estimate:
    if not to_send:
        return Estimate(0.0)
    target = pace.target_per_second(now)
    each = pace.orders_per_turn
    unknown = _endless(pace, sending, now) or _stalled(sending, seen, target, each)
    if unknown:
        return Estimate(None, unknown)
    basis, per_second = expected(target, seen, each)
    if not per_second:
        return Estimate(None, UNLIMITED_AND_UNMEASURED)
    starts_in = _starts_in(pace, now)
    seconds = _seconds_until_sent(to_send, pace, basis, per_second, now)
    if seconds is None:
        return Estimate(None, f"the pace that is set now ends, and then {NO_RATE}")
    return Estimate(seconds, "", basis, per_second, starts_in)


def expected(
    target: float | None, seen: Evidence, orders_per_turn: int = 1
) -> tuple[Basis, float | None]:
    """The pace to expect: the target, unless the evidence shows that it is not reached."""
    achieved = seen.sent / seen.seconds if seen.seconds else None
    if target is None:
        return Basis.ACHIEVED, achieved
    lost_seconds = seen.seconds - seen.sent / target
    interruption_seconds = LOST_SECONDS if seen.seconds < TRUSTED_SECONDS else 0.0
    lost_intervals = LOST_INTERVALS * orders_per_turn / target
    tolerated = max(interruption_seconds, LOST_SHARE * seen.seconds, lost_intervals)
    if achieved and seen.seconds >= EVIDENCE_SECONDS and lost_seconds > tolerated:
        return Basis.ACHIEVED, achieved
    return Basis.TARGET, target


def _endless(pace: Pace, sending: SendingStatus, now: float) -> str:
    """Why it is unknown when sending will continue; empty if it continues or that is known."""
    pause, hold = pace.pause_at(now), pace.hold
    is_endless = (
        sending.state is SendingState.BLOCKED
        or not sending.has_worker
        or bool(pause and pause.until is None)
        or bool(hold and now - hold.since > SHORT_HOLD_SECONDS)
    )
    return sending.reason if is_endless else ""


def _stalled(sending: SendingStatus, seen: Evidence, target: float | None, each: int) -> str:
    """That nothing is sent for an unknown reason; empty if orders are sent."""
    is_running = sending.state is SendingState.RUNNING
    if not is_running or seen.stalled_seconds < stall_after_seconds(target, each):
        return ""
    return (
        f"nothing has been sent for {seen.stalled_seconds:.0f} s, although orders wait and nothing "
        "is known to stop sending; `orders doctor` looks for the cause"
    )


def _starts_in(pace: Pace, now: float) -> float:
    """Seconds until a pause or a short hold ends."""
    pause = pace.pause_at(now)
    ends = [pause.until if pause and pause.until else now, pace.hold.until if pace.hold else now]
    return max(0.0, max(ends) - now)


def _seconds_until_sent(
    to_send: int, pace: Pace, basis: Basis, per_second: float, now: float
) -> float | None:
    """From now. If an override ends before, the configured rate follows; None if there is none."""
    starts_in = _starts_in(pace, now)
    if pace.limits.is_set:
        return _seconds_beside_limits(to_send, pace, basis, per_second, now)
    override = pace.override_at(now)
    if override is None or override.until is None:
        return starts_in + to_send / per_second
    lasts_seconds = override.until - now
    sent_before = max(0.0, lasts_seconds - starts_in) * per_second
    if to_send <= sent_before:
        return starts_in + to_send / per_second
    if pace.configured is None:
        return None
    later = (parse_rate(pace.configured).per_second or 0.0) * pace.orders_per_turn or per_second
    if basis is Basis.ACHIEVED:  # a lower rate may be achieved, a higher one will not
        later = min(later, per_second)
    return max(starts_in, lasts_seconds) + (to_send - sent_before) / later


def _seconds_beside_limits(
    to_send: int, pace: Pace, basis: Basis, per_second: float, now: float
) -> float | None:
    """The same where quotas and hours add to it."""
    starts_in, override = _starts_in(pace, now), pace.override_at(now)
    first = max(now + starts_in, min(pace.next_free, now + starts_in + 1 / per_second))
    if override is None or override.until is None:
        return seconds_to_send(to_send, pace, per_second, first) + first - now
    later_pace = replace(pace, override=None)
    sent = sent_until(override.until, to_send, pace, per_second, first)
    later = later_pace.target_per_second(override.until)
    if sent.orders >= to_send:
        return seconds_to_send(to_send, pace, per_second, first) + first - now
    if later is None:
        return None
    if basis is Basis.ACHIEVED:
        later = min(later, per_second)
    rest = replace(later_pace, used=sent.used)
    begin = max(override.until, first)
    return seconds_to_send(to_send - sent.orders, rest, later, begin) + begin - now
