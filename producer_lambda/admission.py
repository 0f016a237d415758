"""Would all waiting orders be sent before the stream drops them?"""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.pace.forecast import seconds_to_send
from ledger.pace.limits import beside_rate
from ledger.pace.pace import Pace
from ledger.uploads.upload import Account, UploadState
from orders.formats import Format
from orders.plain_text import BrokenGzip, gunzip
from orders.rate import Rate
from orders.retention import retention_of_at_least

MARGIN = 0.9
"""The usable share of the retention: pauses and outages need time, too."""
SAMPLE_BYTES = 131_072
"""How much of a file is read to estimate its lines."""

_DAYS_FROM = 2


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an upload is not admitted and what to raise, in one `sentence`."""

    sentence: str


def take_sample(chunks: Iterable[bytes]) -> bytes:
    """The first SAMPLE_BYTES of an object, or all of a smaller one."""
    sample = bytearray()
    for chunk in chunks:
        sample += chunk
        if len(sample) >= SAMPLE_BYTES:
            break
    return bytes(sample[:SAMPLE_BYTES])


def estimate_orders(sample: bytes, size_bytes: int, form: Format) -> int:
    """The probable number of lines of a file, from its first SAMPLE_BYTES stored bytes (or all)."""
    if not sample:
        return 0
    lines, tail = 0, b""
    try:
        for text in gunzip([sample]) if form.is_gzip else [sample]:
            lines += text.count(b"\n")
            tail = text[-1:]
    except BrokenGzip:
        tail = tail or b"?"  # a sample of a larger file is cut off
    if len(sample) >= size_bytes:
        return lines + (tail != b"\n")
    return max(1, round(lines * size_bytes / len(sample)))


def decide(  # noqa: PLR0913 - all of it named
    accounts: Iterable[Account],
    *,
    rate: Rate | None,
    retention_hours: float,
    own: int,
    orders_per_turn: int = 1,
    pace: Pace | None = None,
    now: float = 0.0,
) -> Refusal | None:
    """Refuse if all open uploads, including the new one, cannot be sent in time.

    own: the estimate of the new upload. None admits it, also where the rate is unknown or `none`.
    pace: whose quotas and sending hours count, too.
    """
    if rate is None or rate.per_second is None:
        return None
    orders = sum(_unsettled(account) for account in accounts)
    per_second = rate.per_second * orders_per_turn
    hours = orders / per_second / 3600
    if pace and pace.limits.is_set and orders:
        hours = seconds_to_send(orders, pace, per_second, now) / 3600
        per_second = orders / hours / 3600
    if hours <= retention_hours * MARGIN:
        return None
    fits = max(0, int(retention_hours * MARGIN * 3600 * per_second) - (orders - own))
    enough_hours = retention_of_at_least(hours / MARGIN)
    if enough_hours:
        advice = f"deploy with RetentionHours={enough_hours} and upload it again"
    else:
        advice = "raise the pace (`orders pace`) and upload it again"
    at = f"{rate} with {orders_per_turn} orders each" if orders_per_turn > 1 else str(rate)
    at += beside_rate(pace.limits) if pace else ""
    smaller = f"upload at most {fits:,} orders now" if fits else "wait until others are sent"
    return Refusal(
        f"{orders:,} orders (about {own:,} of this file) take {_days(hours)} at {at}, and the "
        f"stream keeps an order for {_days(retention_hours)}, of which {MARGIN:.0%} may be used: "
        f"{advice}, or {smaller}"
    )


def _unsettled(account: Account) -> int:
    upload = account.upload
    if upload.state is UploadState.CANCELLED:
        return 0
    settled = account.tally.settled
    if upload.read_complete:
        return account.enqueued - settled
    return max(upload.estimate, account.enqueued) - settled


def _days(hours: float) -> str:
    days = hours / 24
    return f"{days:,.1f} days" if days >= _DAYS_FROM else f"{hours:,.1f} hours"
