"""How many turns are reserved, and when?

So far ahead that the ledger's answer is here before the first of them, and only for orders that
will be ready to take them: other shards want turns, too.
"""

from consumer.delivery.actions import Reserve
from consumer.delivery.events import Observer, TurnsWasted, WaitCapped
from consumer.delivery.latency import Jitter, Latency
from consumer.delivery.orders_in_hand import OrdersInHand
from consumer.delivery.schedule import Schedule
from consumer.delivery.settle_queue import NEVER
from ledger.pace.pace import AHEAD_SECONDS, Pace
from ledger.pace.reservation import Closed, Grant, Reservation, Superseded, Unused

WASTED_SHARE = 0.01
"""A turn that comes late by less than this share of the interval is not counted as wasted."""
EXPECTED_RESERVE_SECONDS = 0.005
LEAD_FACTOR = 1.5
LEAD_SECONDS_MAX = 0.5
"""A turn is reserved so far ahead that the answer is here before it: by the slowest of the last few
answers, times a factor, up to a limit."""
STUCK_SECONDS = 0.5
"""A window that is full for longer does not only wait for a settle."""


class TurnReserver:
    """Turns on their way from the pace item, one reservation at a time.

    orders_waited: were orders ready all the time since the last start? Then a turn that no process
    had meanwhile was wasted.
    """

    def __init__(self, orders: OrdersInHand, schedule: Schedule, observe: Observer) -> None:
        self.jitter = Jitter()
        self.orders_waited = False
        self._orders = orders
        self._view = orders.view
        self._window = orders.window
        self._schedule = schedule
        self._observe = observe
        self._is_waiting = False
        self._asked_at = 0.0
        self._latency = Latency(8, EXPECTED_RESERVE_SECONDS)
        self._full_since = NEVER
        self._shut: tuple[Closed, Pace] | None = None

    def note_room(self, now: float) -> None:
        """See whether the window is full; ask at every turn of events."""
        self._full_since = min(self._full_since, now) if self._window.is_full else NEVER

    def next(self, now: float) -> Reserve | None:
        """Turns to reserve now."""
        pace, schedule = self._view.pace, self._schedule
        if self._is_waiting or pace.rate(now) is None or self._is_shut(now):
            return None
        ahead = len(schedule.held) + len(schedule.assigned)
        is_enough = ahead > 0 if pace.hold else schedule.are_enough(now)
        orders = 0 if is_enough else self._orders_ready(now)
        wanted = min(orders, 1) if pace.hold else orders - len(schedule.held)
        if wanted <= 0:
            return None
        self._is_waiting, self._asked_at = True, now
        lead_seconds = min(LEAD_FACTOR * self._latency.worst, LEAD_SECONDS_MAX)
        batch_orders = self._orders.settings.batch_orders
        begun = self._orders.maybe_begun() + (ahead + wanted) * batch_orders - wanted
        return Reserve(wanted, lead_seconds, self.jitter.seconds, begun, self._take_unused())

    def _take_unused(self) -> tuple[Unused, ...]:
        """The turns to give back; where it is unknown how that ended, they stay counted."""
        unused = self._schedule.unused
        self._schedule.unused = []
        return tuple(unused) if self._view.pace.limits.is_set else ()

    def _is_shut(self, now: float) -> bool:
        """Did the last reservation say that there is no turn yet, and has nothing changed that?"""
        if self._shut is None or self._schedule.unused:
            return False
        closed, seen = self._shut
        pace = self._view.pace
        is_same = (pace.epoch, pace.generation) == (seen.epoch, seen.generation)
        if is_same and pace.used == seen.used and now + AHEAD_SECONDS < (closed.until or 0.0):
            return True
        self._shut = None
        return False

    def _orders_ready(self, now: float) -> int:
        """How many orders would take a turn.

        A shard whose window is full for long waits for room before it takes more turns from others.
        """
        has_neighbours = len(self._view.pace.owners) > 1
        is_stuck = has_neighbours and self._full_since < now - STUCK_SECONDS
        takes_no_room = self._window.takes_no_room
        return sum(1 for e in self._window.startable() if not is_stuck or takes_no_room(e))

    def ended(self, reservation: Reservation, pace: Pace, now: float) -> None:
        """A Reserve ended; `pace` is the item after it."""
        self._is_waiting = False
        self._latency.add(now - self._asked_at)
        before = self._view.pace
        self._view.see(pace, now)
        if isinstance(reservation, Superseded):
            self._view.is_superseded = True
        elif isinstance(reservation, Closed):
            self._shut, self.orders_waited = (reservation, self._view.pace), False
        elif isinstance(reservation, Grant):
            self._view.seen_at = max(self._view.seen_at, self._asked_at)
            self._schedule.add(reservation)
            if reservation.was_reset:
                self._observe(WaitCapped("the pace's next free time stood too far ahead"))
            self._tell_of_waste(reservation, before, now)

    def failed(self) -> None:
        """A Reserve could not be carried out."""
        self._is_waiting = False

    def _tell_of_waste(self, grant: Grant, before: Pace, now: float) -> None:
        is_comparable = not before.hold and before.rate(now) == self._view.pace.rate(now)
        if self.orders_waited and is_comparable and grant.interval:
            turns = grant.skipped_seconds / grant.interval
            if turns > WASTED_SHARE:
                self._observe(TurnsWasted(turns))
        self.orders_waited = False
