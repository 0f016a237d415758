"""The threads that carry out what the delivery asks for.

Each takes an action under the lock, carries it out without it, reports the result and takes the
next. Threads are added as they are needed, one for each attempt that is waited for. One idle thread
watches for what falls due; the others wait to be woken.
"""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from consumer.delivery import actions
from consumer.delivery.attempts import Api, Attempt
from consumer.delivery.delivery import Delivery
from consumer.delivery.events import LedgerFailed, Observer
from consumer.delivery.schedule import Verdict
from consumer.delivery.settle_queue import NEVER
from consumer.delivery.starts import Starts
from consumer.sending.clock import Clock
from consumer.sending.departure import Departure
from consumer.sending.ledger_calls import LedgerCalls
from consumer.sending.requests_of_entries import request_of
from consumer.threads import start_thread
from ledger.errors import LedgerError

CONNECT_SECONDS = 1.0
"""How long before its turn a connection is opened: in time, but not so early that it goes stale."""
LEDGER_RETRY_SECONDS = 1.0
OVERDUE_SECONDS = 0.05
"""What is due and cannot be done waits for something else (a refresh of the pace, say), which wakes
a thread when it ends; to ask more often would only cost time."""
SWITCH_SECONDS, PROMPT_SWITCH_SECONDS = 0.005, 0.0005
"""How long a thread that computes keeps the others waiting: Python's default, for many orders a
second, and a shorter time where each start has its moment."""
NAMES: dict[type[actions.LedgerAction], str] = {
    actions.Settle: "settle",
    actions.Reserve: "reserve a turn",
    actions.Refresh: "read the pace",
    actions.ChangePace: "change the pace",
}
"""How a ledger call that failed is named in the log."""


@dataclass(frozen=True, slots=True)
class ProcessHooks:
    """What sending needs of the process that it lives in.

    is_orphan: is the daemon gone? fail: ends the process, hard. starts: of all processes on this
    machine; by default this one is alone.
    """

    clock: Clock
    observe: Observer
    is_orphan: Callable[[], bool]
    fail: Callable[[BaseException], None]
    starts: Starts = field(default_factory=Starts)


class SenderThreads:
    """The threads that send the orders of one shard."""

    def __init__(
        self,
        delivery: Delivery,
        ledger_calls: LedgerCalls,
        api: Api,
        hooks: ProcessHooks,
        *,
        threads_max: int,
    ) -> None:
        self.delivery = delivery
        self.lock = threading.Lock()
        self.settled = threading.Condition(self.lock)  # the frontier or the room may have changed
        self.ledger_calls = ledger_calls
        self._api = api
        self._hooks = hooks
        self._clock = hooks.clock
        self._threads_max = threads_max
        self._work = threading.Condition(self.lock)
        self._turn = threading.Condition(self.lock)
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._watched_until = NEVER
        self._is_changing = False  # a change of the pace is being written
        self._is_closed = False

    def start(self) -> None:
        """Start the first thread."""
        with self.lock:
            self._wake_one()

    def wake(self) -> None:
        """Records came, or it is to stop. Call it with the lock."""
        self._turn.notify_all()
        self._wake_one()

    def close(self) -> None:
        """Let every thread end once it has nothing in hand, and wait for them."""
        with self.lock:
            self._is_closed = True
            self._work.notify_all()
            self._turn.notify_all()
        for thread in list(self._threads):
            thread.join()

    def _wake_one(self) -> None:
        """Have one more thread look for work."""
        if self._idle:
            self._work.notify()
        elif len(self._threads) < self._threads_max and not self._is_closed:
            name = f"sender-{len(self._threads)}"
            self._threads.append(start_thread(name, self._run, fail=self._hooks.fail))

    def _run(self) -> None:
        ended: tuple[actions.Send, Attempt] | None = None
        while action := self._next(ended):
            if isinstance(action, actions.Send):
                ended = self._send(action)
            else:
                ended = None
                self._call_ledger(action)

    def _next(self, ended: tuple[actions.Send, Attempt] | None) -> actions.Action | None:
        """Report how an attempt ended, and take the next action, in one hold of the lock."""
        delivery = self.delivery
        with self.lock:
            if ended:
                (send, attempt), now = ended, self._clock.now()
                seconds = max(now - send.at, 0.0)
                delivery.dispatcher.ended(send, attempt, now=now, latency_seconds=seconds)
            while not self._is_closed:
                now = self._clock.now()
                action = delivery.next(now)
                if action:
                    # A thread that is not needed costs more to wake than an order to send.
                    is_alone = self._watched_until == NEVER or not isinstance(action, actions.Send)
                    if is_alone or delivery.dispatcher.has_room:
                        self._wake_one()
                    return action
                self._wait(delivery.due(), now)
            return None

    def _wait(self, due: float, now: float) -> None:
        self._idle += 1
        if due < self._watched_until:
            self._watched_until = due
            self._work.wait(due - now if due > now else OVERDUE_SECONDS)
            if self._watched_until == due:
                self._watched_until = NEVER
        else:
            self._work.wait()
        self._idle -= 1

    def _send(self, send: actions.Send) -> tuple[actions.Send, Attempt] | None:
        departure = self._starts(send) if self._comes_near(send) else None
        if departure is None:
            return None
        attempt = self._api.send(
            request_of(send.entry), begin=departure.wait, sent=lambda: self._sent(send, departure)
        )
        return send, attempt

    def _sent(self, send: actions.Send, departure: Departure) -> None:
        took_seconds = departure.since_seconds()
        with self.lock:
            self.delivery.dispatcher.schedule.sent(send, departure.late_seconds, took_seconds)
            if send.turn.interval:
                self._wake_one()  # the next turn can be reserved now

    def _comes_near(self, send: actions.Send) -> bool:
        """Wait until shortly before the turn, and open a connection; False where it became void."""
        start, dispatcher = send.turn.start, self.delivery.dispatcher
        if not start:
            return True
        with self.lock:
            while (seconds := start - CONNECT_SECONDS - self._clock.now()) > 0:
                if dispatcher.is_void(send, self._clock.now()) or self._is_closed:
                    dispatcher.given_up(send, self._clock.now())
                    return False
                self._turn.wait(seconds)
        if start > self._clock.now():
            self._api.connect()
        return True

    def _starts(self, send: actions.Send) -> Departure | None:
        """Wait until the attempt's start is planned; None where its turn became void."""
        sys.setswitchinterval(PROMPT_SWITCH_SECONDS if send.turn.is_even else SWITCH_SECONDS)
        dispatcher = self.delivery.dispatcher
        with self.lock:
            while True:
                asked_at, now = time.monotonic(), self._clock.now()
                if self._hooks.is_orphan():
                    self.delivery.stop()
                verdict = dispatcher.may_start(send, now)
                if verdict is Verdict.GO:
                    return Departure(asked_at + (send.at - now))
                if verdict is Verdict.VOID or self._is_closed:
                    dispatcher.given_up(send, now)
                    return None
                self._turn.wait(verdict - now)

    def _call_ledger(self, action: actions.LedgerAction) -> None:
        """Carry out an action on the ledger, and report its result."""
        with self.lock:
            if isinstance(action, actions.Reserve):  # a turn of before a change would be void
                self._turn.wait_for(lambda: self._is_closed or not self._is_changing)
            self._is_changing |= isinstance(action, actions.ChangePace)
        asked_at = self._clock.now()
        result = self.ledger_calls.carry_out(action)
        failed = isinstance(result, LedgerError)
        if failed:
            self._hooks.observe(LedgerFailed(NAMES[type(action)], str(result)))
        with self.lock:
            if failed and not isinstance(action, actions.Settle):  # a settle rests in its queue
                # What the delivery hands out again, another thread would carry out at once.
                self._turn.wait_for(lambda: self._is_closed, LEDGER_RETRY_SECONDS)
            now = self._clock.now()
            self.delivery.ended(action, result, now=now, seconds=now - asked_at)
            self._is_changing &= not isinstance(action, actions.ChangePace)
            if isinstance(action, actions.Settle):
                self.settled.notify_all()
            self._turn.notify_all()  # a turn may be void now, or there may be room
