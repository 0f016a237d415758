"""The judge against senders that are broken on purpose, on the sandbox's real API."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
import requests

from orders.rate import Rate
from orders.upload import UploadId, idempotency_key
from orders_cli.demo.sandbox_api import SandboxApi
from sandbox.api.server import api_in_threads
from sandbox.judge.observations import Numbers, Observed, expected_orders
from sandbox.judge.outage import Outage
from sandbox.judge.sequence import TakeOver
from tests import promises

UPLOAD = UploadId("0123456789abcdef0123")
LINES = {n: json.dumps({"order_id": f"A-{n}"}).encode() for n in range(1, 11)}
INTERVAL_SECONDS = 0.025
PACE = Rate(1 / INTERVAL_SECONDS)


@dataclass(slots=True)
class Sender:
    """Sends the lines in order, each once, at the pace; what it thinks is in `numbers`."""

    api: SandboxApi
    session: requests.Session = field(default_factory=requests.Session)
    due_at: float = field(default_factory=time.monotonic)

    def send(self, line: int, body: bytes | None = None, *, key: str | None = None) -> None:
        time.sleep(max(0.0, self.due_at - time.monotonic()))
        self.session.put(
            f"{self.api.address}/orders/A-{line}",
            data=LINES[line] if body is None else body,
            headers={"Idempotency-Key": key or idempotency_key(UPLOAD, line)},
            timeout=5,
        )
        # From the answer on: however busy the machine is, no gap of arrivals is too small.
        self.due_at = time.monotonic() + INTERVAL_SECONDS

    def send_all(self, lines: Sequence[int] = range(1, 11)) -> None:
        for line in lines:
            self.send(line)

    def hurry(self) -> None:
        """Forget the pace for the next order."""
        self.due_at = 0.0

    def observed(self, *, refused: int = 0) -> Observed:
        """What the judge sees; the sender claims that all went well."""
        count = len(LINES)
        claim = Numbers(count, 0, 0, count, count - refused, refused, 0, 0, 0)
        return Observed(expected_orders(UPLOAD, LINES), self.api.requests(), [claim])


@pytest.fixture
def sender() -> Iterator[Sender]:
    with api_in_threads() as address:
        made = Sender(SandboxApi(address))
        yield made
        made.session.close()


def broken(seen: Observed, outages: Sequence[Outage] = (), take_over: float = 0.0) -> list[int]:
    """The numbers of the promises that the judge finds broken."""
    take_overs = [TakeOver(take_over, gone_at=take_over)] if take_over else []
    checks: list[Callable[[], None]] = [
        lambda: promises.nothing_is_lost(seen),
        lambda: promises.repeats_are_bounded(seen),
        lambda: promises.pace_is_kept(seen, rates=[(0.0, PACE)]),
        lambda: promises.order_is_kept(seen),
        lambda: promises.outage_costs_time_only(seen, outages=outages),
        lambda: promises.old_owner_stops(seen, take_overs=take_overs),
    ]
    return [number for number, check in enumerate(checks, 1) if _fails(check, number)]


def _fails(check: Callable[[], None], promise: int) -> bool:
    try:
        check()
    except AssertionError as error:
        return str(error).startswith(f"promise {promise}, ")
    return False


def test_a_faithful_sender_breaks_nothing(sender: Sender) -> None:
    sender.send_all()

    assert broken(sender.observed()) == []


def test_a_sender_that_sends_twice_breaks_promise_two(sender: Sender) -> None:
    sender.send_all([1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10])

    assert broken(sender.observed()) == [2]


def test_a_sender_with_a_new_key_for_a_retry_breaks_promise_two(sender: Sender) -> None:
    sender.send_all()
    sender.send(10, key="another")

    assert broken(sender.observed()) == [2]


def test_a_sender_that_skips_one_breaks_promise_one(sender: Sender) -> None:
    sender.send_all([1, 2, 3, 5, 6, 7, 8, 9, 10])

    assert broken(sender.observed()) == [1, 5]


def test_a_sender_that_is_too_fast_breaks_promise_three(sender: Sender) -> None:
    sender.send_all(range(1, 6))
    sender.hurry()
    sender.send_all(range(6, 11))

    assert broken(sender.observed()) == [3]


def test_a_sender_in_another_order_breaks_promise_four(sender: Sender) -> None:
    sender.send_all([1, 2, 4, 3, 5, 6, 7, 8, 9, 10])

    assert broken(sender.observed()) == [4]


def test_a_sender_that_changes_a_body_breaks_promise_one(sender: Sender) -> None:
    sender.send_all(range(1, 6))
    sender.send(6, LINES[6] + b" ")
    sender.send_all(range(7, 11))

    assert broken(sender.observed()) == [1]


def test_a_sender_that_gives_a_good_order_up_in_an_outage_breaks_promise_five(
    sender: Sender,
) -> None:
    start = time.monotonic()
    sender.api.add_fault(kind="status", status=503, for_requests=1)
    sender.send_all()

    assert broken(sender.observed(refused=1), [Outage(start, start + 0.1)]) == [5]


def test_a_sender_that_hammers_a_dead_api_breaks_promise_five(sender: Sender) -> None:
    sender.api.add_fault(kind="status", status=503, for_requests=12)
    start = time.monotonic()
    sender.send_all([1] * 12)
    outage = Outage(start, time.monotonic())
    sender.send_all()

    assert broken(sender.observed(), [outage]) == [5]


def test_an_old_owner_that_goes_on_breaks_promise_six(sender: Sender) -> None:
    sender.send_all()
    taken_over_at = time.monotonic()
    sender.send_all([9, 10])

    assert broken(sender.observed(), take_over=taken_over_at) == [2, 6]
