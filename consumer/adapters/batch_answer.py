"""The API's answer to several orders in one request, where it answers for each of them."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consumer.delivery.attempts import Answered, OrderAttempt, Unavailable

STATUS_RANGE = range(100, 600)
MULTI_STATUS = 207
_NAMES = re.compile(r"(?P<place>[^:,]*):(?:(?P<id>[^:,]+),)?(?P<status>[^:,]+)")

MeaningOfStatus = Callable[[int, bytes], OrderAttempt]
"""What a status and the text that goes with it mean for an order."""


class BatchResultsUnusable(ValueError):
    """The message says what is wrong with ORDERS_BATCH_RESULTS."""


@dataclass(frozen=True, slots=True)
class ResultNames:
    """Where an answer holds the results of the orders.

    place: the names, from the outside in, under which the list of results stands; none: the answer
    is the list. order_id: the field with an order's id; None: results stand in the orders' order.
    status: the field with an order's HTTP status.
    """

    place: tuple[str, ...]
    order_id: str | None
    status: str

    @property
    def text(self) -> str:
        """The place, for people."""
        return f"under {'.'.join(self.place)!r}" if self.place else "as its body"


def parse_result_names(text: str) -> ResultNames:
    """Parse `LIST:ID,STATUS`, or `LIST:STATUS`. Raises BatchResultsUnusable."""
    found = _NAMES.fullmatch(text.strip())
    place = tuple(found["place"].split(".")) if found and found["place"] else ()
    if found is None or not all(place):
        raise BatchResultsUnusable(
            "write LIST:ID,STATUS with the names of the answer's list and of the fields of its "
            "items, `results:order_id,status` for example; or LIST:STATUS where the items stand in "
            "the order of the request; LIST is empty where the answer itself is the list"
        )
    return ResultNames(place, found["id"], found["status"])


def results_in(
    answer: bytes,
    order_ids: Sequence[str],
    names: ResultNames,
    meaning: MeaningOfStatus,
    *,
    status: int,
) -> Answered | Unavailable:
    """The results of the orders with these ids, or why the answer is not understood.

    An order that the answer does not name, or names with two statuses, is one without a usable
    answer; so are all where the results cannot be told apart. Other orders' results are ignored.
    """
    items = _items(answer, names)
    if items is None:
        reason = f"the API answered {status} without a list of results {names.text}"
        return _unusable(reason, status)
    if names.order_id is None:
        if len(items) != len(order_ids):
            reason = f"the API answered {len(items)} results for {len(order_ids)} orders"
            return _unusable(reason, status)
        return Answered(tuple(_result([item], names, meaning) for item in items))
    by_id: dict[str, list[object]] = defaultdict(list)
    for item in items:
        by_id[_id_in(item, names.order_id)].append(item)
    return Answered(tuple(_result(by_id.get(one, []), names, meaning) for one in order_ids))


def _items(answer: bytes, names: ResultNames) -> list[object] | None:
    try:
        found: object = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    for name in names.place:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, list) else None


def _id_in(item: object, name: str) -> str:
    """The id that an item names, as text; empty, which is no order's id, where it names none."""
    found = item.get(name) if isinstance(item, dict) else None
    is_id = isinstance(found, str | int) and not isinstance(found, bool)
    return str(found) if is_id else ""


def _result(items: Sequence[object], names: ResultNames, meaning: MeaningOfStatus) -> OrderAttempt:
    if not items:
        return _unusable("the API's answer does not name this order")
    statuses = {_status_in(item, names.status) for item in items}
    status = statuses.pop()
    if statuses:
        return _unusable("the API's answer names this order with different results")
    if status is None:
        return _unusable(f"the API's answer has no HTTP status as {names.status!r} of this order")
    return meaning(status, json.dumps(items[0], ensure_ascii=False).encode(errors="replace"))


def _status_in(item: object, name: str) -> int | None:
    found = item.get(name) if isinstance(item, dict) else None
    if isinstance(found, str) and found.isascii() and found.isdigit():
        found = int(found[:4])
    is_status = isinstance(found, int) and not isinstance(found, bool) and found in STATUS_RANGE
    return found if is_status else None


def _unusable(reason: str, status: int | None = None) -> Unavailable:
    return Unavailable(status, reason, may_have_arrived=True)
