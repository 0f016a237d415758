"""Were orders sent in file order, and by their owner only (promises 4 and 6)?"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sandbox.judge.observations import Observed, Request
from sandbox.judge.verdict import PromiseVerdict, some


@dataclass(frozen=True, slots=True)
class TakeOver:
    """A process lost its shard to another one, or was killed. Times as in the log.

    at: from when it must send nothing: when it was superseded or killed.
    gone_at: when it had ended, before any successor could send; None: it is still running.
    """

    at: float
    gone_at: float | None


def order_is_kept(seen: Observed, *, whole_file: bool = True) -> PromiseVerdict:
    """Promise 4: an order is not begun before the previous one with its id is done.

    whole_file: one lane and a window of 1, so that all orders are begun in file order.
    """
    by_line = seen.requests_by_line()
    breaches = []
    same_id: dict[str, list[int]] = defaultdict(list)
    for order in seen.orders:
        if by_line[order.line]:
            same_id[order.order_id].append(order.line)
    for order_id, lines in same_id.items():
        for earlier, later in pairwise(lines):
            if by_line[later][0].t < _done_at(by_line[earlier]):
                breaches.append(f"{order_id}: line {later} was sent before line {earlier} was done")
    if whole_file:
        begun = sorted((found[0].t, line) for line, found in by_line.items() if found)
        wrong = [
            f"line {later} after line {earlier}"
            for (_, earlier), (_, later) in pairwise(begun)
            if later < earlier
        ]
        if wrong:
            breaches.append(f"not in file order: {some(wrong)}")
    twins = sum(len(lines) > 1 for lines in same_id.values())
    scope = "all begun in file order" if whole_file else "judged by order id"
    evidence = f"{len(same_id)} order ids, {twins} of them on several lines, {scope}"
    return PromiseVerdict(4, evidence, tuple(breaches))


def _done_at(requests: Sequence[Request]) -> float:
    """When an order was first accepted, or else last refused."""
    return next((r.t for r in requests if r.is_accepted), requests[-1].t)


def old_owner_stops(
    seen: Observed, *, take_overs: Sequence[TakeOver], window: int = 1
) -> PromiseVerdict:
    """Promise 6: after each take-over at most the old owner's `window` of current turns.

    Until it has ended, whatever comes is from the old owner. What it sends beside its successor
    shows as orders that come again, because the successor sends all that the old one had in hand.
    """
    breaches = []
    again = seen.repeats()
    ends = [take_over.at for take_over in take_overs[1:]] + [float("inf")] * bool(take_overs)
    alone = 0
    for number, (take_over, end) in enumerate(zip(take_overs, ends, strict=True), 1):
        if take_over.gone_at is None:
            breaches.append(f"the old owner of take-over {number} is still running")
        gone_at = take_over.gone_at or take_over.at
        sent = [r.order_id for r in seen.requests if take_over.at < r.t <= gone_at]
        alone += len(sent)
        if len(sent) > window:
            breaches.append(f"the old owner of take-over {number} went on to send: {some(sent)}")
        late = [request.order_id for request in again if take_over.at < request.t <= end]
        if len(late) > window:
            breaches.append(f"after take-over {number} came again: {some(late)}")
    evidence = (
        f"{len(take_overs)} old owners ended; they sent {alone} orders after they had lost their "
        f"shard, and {len(again)} came again"
    )
    return PromiseVerdict(6, evidence, tuple(breaches))
