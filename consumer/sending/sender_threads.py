"""Who carries out what the delivery asks for?

Threads around one delivery: each takes an action under the lock, carries it out without
it, tells the result and takes the next. Threads are added as they are needed, one for each attempt
that is waited for. One idle thread watches for what falls due; the others wait to be called.
"""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from consumer.delivery.actions import Action, PaceChange, Refresh, Reserve, Send, Settle
from consumer.delivery.attempts import Api, Attempt
from consumer.delivery.delivery import Delivery
from consumer.delivery.events import LedgerFailed, Observer
from consumer.delivery.pace_view import step
from consumer.delivery.starts import ProcessStarts, Starts
from consumer.delivery.turns import Verdict, is_even
from consumer.sending.clock import Clock
from consumer.sending.departure import Departure
from consumer.sending.ledger_calls import LedgerCalls
from consumer.threads import start_thread
from ledger.errors import LedgerError
from orders.upload import idempotency_key

CONNECT_SECONDS = 1.0
"""A connection is opened so long before its turn: in time, and not so early that it goes stale."""
LEDGER_RETRY_SECONDS = 1.0
OVERDUE_SECONDS = 0.05
"""What is due and cannot be done waits for something else (a look at the pace, say), which calls a
thread when it ends; to ask more often would only cost time."""
SWITCH_SECONDS, PROMPT_SWITCH_SECONDS = 0.005, 0.0005
"""So long a thread that computes keeps the others waiting: Python's own value, for many orders a
second, and a shorter one where each start has its moment."""
NEVER = float("inf")


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
    starts: Starts = field(default_factory=ProcessStarts)


@dataclass(frozen=True, slots=True)
class Done:
    """An attempt that ended."""

    send: Send
    attempt: Attempt


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
        """Around one delivery; no thread runs before `start`."""
        self.delivery = delivery
        self.lock = threading.Lock()
        self.settled = threading.Condition(self.lock)  # the frontier or the room may have changed
        self.ledger_calls = ledger_calls
        self._api = api
        self._clock = hooks.clock
        self._observe = hooks.observe
        self._threads_max = threads_max
        self._is_orphan = hooks.is_orphan
        self._fail = hooks.fail
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
            self._call()

    def wake(self) -> None:
        """Something changed from outside: records came, or it is to stop. Call it with the lock."""
        self._turn.notify_all()
        self._call()

    def close(self) -> None:
        """Let every thread end once it has nothing in hand, and wait for them."""
        with self.lock:
            self._is_closed = True
            self._work.notify_all()
            self._turn.notify_all()
        for thread in list(self._threads):
            thread.join()

    def _call(self) -> None:
        """Have one more thread look for work."""
        if self._idle:
            self._work.notify()
        elif len(self._threads) < self._threads_max and not self._is_closed:
            name = f"sender-{len(self._threads)}"
            self._threads.append(start_thread(name, self._run, fail=self._fail))

    def _run(self) -> None:
        done: Done | None = None
        while action := self._next(done):
            done = self._carry_out(action)

    def _next(self, done: Done | None) -> Action | None:
        """Tell how an attempt ended, and take the next action, in one hold of the lock."""
        with self.lock:
            if done:
                self._ended(done)
            while not self._is_closed:
                now = self._clock.now()
                action = self.delivery.next(now)
                if action:
                    # A thread that is not needed costs more to wake than an order to send.
                    is_alone = self._watched_until == NEVER or not isinstance(action, Send)
                    if is_alone or self.delivery.has_room_to_send:
                        self._call()
                    return action
                self._wait(self.delivery.due(), now)
            return None

    def _ended(self, done: Done) -> None:
        now = self._clock.now()
        latency_seconds = max(now - done.send.at, 0.0)
        self.delivery.ended(done.send, done.attempt, now=now, latency_seconds=latency_seconds)

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

    def _carry_out(self, action: Action) -> Done | None:
        match action:
            case Send():
                return self._send(action)
            case Settle():
                self._settle(action)
            case Reserve():
                self._reserve(action)
            case Refresh():
                self._look(action)
            case _:
                self._change_pace(action)
        return None

    def _send(self, send: Send) -> Done | None:
        departure = self._starts(send) if self._comes_near(send) else None
        if departure is None:
            return None
        entry, key = send.entry, send.entry.key
        if key is None:
            raise AssertionError("a record that is no order was to be sent")
        name = idempotency_key(key.upload, entry.line)
        attempt = self._api.put(
            entry.order_id,
            entry.body,
            idempotency_key=name,
            begin=departure.wait,
            sent=lambda: self._sent(send, departure),
        )
        return Done(send, attempt)

    def _sent(self, send: Send, departure: Departure) -> None:
        took_seconds = departure.since_seconds()
        with self.lock:
            self.delivery.sent(send, departure.late_seconds, took_seconds)
            if send.interval:
                self._call()  # the next turn can be reserved now

    def _comes_near(self, send: Send) -> bool:
        """Wait until shortly before the turn, and open a connection; False where it became void."""
        if not send.start:
            return True
        with self.lock:
            while (seconds := send.start - CONNECT_SECONDS - self._clock.now()) > 0:
                if self.delivery.is_void(send, self._clock.now()) or self._is_closed:
                    self.delivery.given_up(send, self._clock.now())
                    return False
                self._turn.wait(seconds)
        if send.start > self._clock.now():
            self._api.connect()
        return True

    def _starts(self, send: Send) -> Departure | None:
        """Wait until the attempt's start is planned; None where its turn became void."""
        sys.setswitchinterval(PROMPT_SWITCH_SECONDS if is_even(send) else SWITCH_SECONDS)
        with self.lock:
            while True:
                asked_at, now = time.monotonic(), self._clock.now()
                if self._is_orphan():
                    self.delivery.stop()
                verdict = self.delivery.may_start(send, now)
                if verdict is Verdict.GO:
                    return Departure(asked_at + (send.at - now))
                if verdict is Verdict.VOID or self._is_closed:
                    self.delivery.given_up(send, now)
                    return None
                self._turn.wait(verdict - now)

    def _settle(self, action: Settle) -> None:
        started = self._clock.now()
        try:
            lane = self.ledger_calls.settle(action)
        except LedgerError as error:
            self._observe(LedgerFailed("settle", str(error)))
            with self.lock:
                self.delivery.settle_failed(action.lane, self._clock.now(), error)
            return
        with self.lock:
            now = self._clock.now()
            self.delivery.settled(lane, now=now, seconds=now - started)
            self.settled.notify_all()
            self._turn.notify_all()  # there may be room now

    def _reserve(self, action: Reserve) -> None:
        with self.lock:  # a turn of the pace before a change would be void
            self._turn.wait_for(lambda: self._is_closed or not self._is_changing)

        def reserve() -> None:
            reservation, pace = self.ledger_calls.reserve(action)
            with self.lock:
                self.delivery.reserved(reservation, pace, self._clock.now())
                self._turn.notify_all()

        if not self._try("reserve a turn", reserve):
            with self.lock:
                self.delivery.reserve_failed()

    def _look(self, action: Refresh) -> None:
        def look() -> None:
            asked_at = self._clock.now()
            pace = self.ledger_calls.read_pace()
            cancelled = self.ledger_calls.cancelled_of(action.lanes)
            with self.lock:
                now = self._clock.now()
                self.delivery.refreshed(pace, cancelled, now=now, seconds=now - asked_at)
                self._turn.notify_all()

        if not self._try("read the pace", look):
            with self.lock:
                self.delivery.refresh_failed(self._clock.now())

    def _change_pace(self, change: PaceChange) -> None:
        def write() -> None:
            pace = self.ledger_calls.change_pace(lambda pace: step(pace, change, self._clock.now()))
            with self.lock:
                self.delivery.pace_changed(pace, self._clock.now())

        with self.lock:
            self._is_changing = True
        is_written = self._try("change the pace", write)
        with self.lock:
            self._is_changing = False
            if not is_written:
                self.delivery.pace_change_failed()
            self._turn.notify_all()

    def _try(self, name: str, call: Callable[[], None]) -> bool:
        """Run a ledger call; False where the ledger failed, after a rest.

        The delivery is told of the failure only then: what it hands out again, another thread would
        carry out at once.
        """
        try:
            call()
        except LedgerError as error:
            self._observe(LedgerFailed(name, str(error)))
            with self.lock:
                self._turn.wait_for(lambda: self._is_closed, LEDGER_RETRY_SECONDS)
            return False
        return True
