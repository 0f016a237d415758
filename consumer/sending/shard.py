"""How does one leased shard come to its orders, its owner token and its end?"""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from consumer.delivery.attempts import Api
from consumer.delivery.delivery import Delivery
from consumer.delivery.entries import Position, StreamRecord
from consumer.delivery.events import LedgerFailed
from consumer.delivery.hand import DeliverySettings
from consumer.sending.clock import Clock
from consumer.sending.crew import Crew, Surroundings
from consumer.sending.errands import Errands, Ledger
from ledger.errors import LedgerError
from ledger.pace import steps
from ledger.pace.pace import Blocker, BlockReason, Pace
from ledger.pace.turns import disown, own
from ledger.uploads.lane import LaneKey

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.25
"""How often waiting looks whether the daemon is gone."""
LEDGER_RETRY_SECONDS = 1.0
CHECKPOINT_SECONDS = 0.2
"""Two checkpoints are at least this far apart: a restart skips what is settled anyway."""
MISSING_ROW_SECONDS = 1.0
"""How often a lane's missing row is looked for again, and its blocker set again after a resume."""
SPARE_THREADS = 3
"""Beside one thread for each attempt: the pace, a settle, a look."""

T = TypeVar("T")
Checkpoint = Callable[[Position], bool]


class Superseded(Exception):
    """Another process owns this shard now."""


class LeasedShard:
    """The orders of one shard, sent by a crew of threads; KCL's main thread feeds it."""

    def __init__(
        self, ledger: Ledger, api: Api, around: Surroundings, settings: DeliverySettings
    ) -> None:
        """`settings.shard` and `.token` are set when the shard begins.

        alive_at: when the daemon's thread was last seen at work here, waiting included; a daemon
        that stands still no longer calls, with or without records.
        """
        self._ledger = ledger
        self._api = api
        self._around = around
        self._settings = settings
        self._crew: Crew | None = None
        self._checkpointed: Position | None = None
        self._next_checkpoint_at = 0.0
        self.checkpoint_at: float | None = None
        self.alive_at = around.clock.now()

    @property
    def delivery(self) -> Delivery | None:
        """The delivery, once the shard has begun."""
        return self._crew.delivery if self._crew else None

    @property
    def crew(self) -> Crew:
        """The threads. The shard must have begun."""
        if self._crew is None:
            raise RuntimeError("records came before the shard was initialized")
        return self._crew

    def begin(self, shard: str) -> None:
        """Become the shard's owner: whoever sent for it before gets no turn any more."""
        clock, starts = self._around.clock, self._around.starts
        token = f"{starts.machine}-{secrets.token_hex(8)}"
        errands = Errands(self._ledger, clock, shard=shard, token=token)
        pace = self._insist("own the shard", lambda: errands.change_pace(_own(shard, token, clock)))
        settings = replace(self._settings, shard=shard, token=token)
        delivery = Delivery(settings, pace, self._around.observe, starts)
        threads_max = settings.window_max + SPARE_THREADS
        crew = Crew(delivery, errands, self._api, self._around, threads_max=threads_max)
        crew.start()
        self._crew = crew
        log.info("shard %s: sending begins", shard)

    def feed(self, records: list[StreamRecord], checkpoint: Checkpoint) -> None:
        """Take records; returns when at most one window is unsettled. See kcl.processor.Shard."""
        crew, delivery = self.crew, self.crew.delivery
        self.alive_at = self._around.clock.now()
        while True:
            with crew.lock:
                unknown = delivery.unknown_lanes(records)
                if not unknown:
                    delivery.take(records, self._around.clock.now())
                    crew.wake()
                    break
            for key in unknown:
                self._begin_lane(key)
        self._until(lambda: delivery.has_room, checkpoint)

    def drain(self, checkpoint: Checkpoint) -> None:
        """Send and settle all in hand. Raises Superseded where another process owns the shard."""
        delivery = self.crew.delivery
        self._until(lambda: not delivery.unsettled, checkpoint)

    def give_up(self) -> None:
        """The shard has ended and is nobody's any more. Where that cannot be written, no harm."""
        crew = self.crew
        shard, token = crew.delivery.settings.shard, crew.delivery.settings.token
        try:
            crew.errands.change_pace(lambda pace: disown(pace, shard, token))
        except LedgerError as error:
            log.warning("shard %s could not be given up: %s", shard, error)
            self._around.observe(LedgerFailed("give the shard up", str(error)))

    def stop(self) -> None:
        """Start nothing more; returns when what was on its way is settled."""
        if self._crew is None:
            return
        crew = self._crew
        with crew.lock:
            crew.delivery.stop()
            crew.wake()
            while not crew.delivery.is_quiet:
                crew.settled.wait(WATCH_SECONDS)
            begun = crew.delivery.maybe_begun
        try:
            crew.errands.begins_no_more(begun)
        except LedgerError as error:  # then the next owner believes more 409s than it need
            log.warning("the pace does not say what was settled at the stop: %s", error)

    def _until(self, is_enough: Callable[[], bool], checkpoint: Checkpoint) -> None:
        """Wait for the crew, and let the checkpoint follow what is settled."""
        crew = self.crew
        while True:
            self.alive_at = self._around.clock.now()
            with crew.lock:
                frontier = crew.delivery.frontier
                self._check_owner()
                if frontier == self._checkpointed or not self._may_checkpoint():
                    if is_enough():
                        return
                    crew.settled.wait(WATCH_SECONDS)
                    continue
            if frontier is not None:
                self._write(frontier, checkpoint)

    def _check_owner(self) -> None:
        delivery = self.delivery
        if (delivery and delivery.is_superseded) or self._around.is_orphan():
            raise Superseded("another process owns this shard, or the daemon is gone")

    def _may_checkpoint(self) -> bool:
        return self._around.clock.now() >= self._next_checkpoint_at

    def _write(self, frontier: Position, checkpoint: Checkpoint) -> None:
        began_at = self._around.clock.now()
        if checkpoint(frontier):
            self._checkpointed = frontier
            self.checkpoint_at = self._around.clock.now()
            self._next_checkpoint_at = began_at + CHECKPOINT_SECONDS
        else:
            self._next_checkpoint_at = began_at + LEDGER_RETRY_SECONDS

    def _begin_lane(self, key: LaneKey) -> None:
        """Read a lane's row. None there blocks the shard: it never means "start at line 0".

        The shard waits here until the row is there, so as long it is blocked, whoever resumes.
        """
        errands = self.crew.errands
        name = f"{self.crew.delivery.settings.shard} ledger row"
        found = self._insist("read a lane", lambda: errands.read_lane(key))
        if found is None:
            detail = f"lane {key.lane} of upload {key.upload} has no row in the ledger"
            blocker = Blocker(BlockReason.ROW_MISSING, detail, self._around.clock.now())
            log.error("%s; sending of this shard is blocked", detail)
            while found is None:
                self._insist(
                    "blocker",
                    lambda: errands.change_pace(lambda pace: steps.block(pace, name, blocker)),
                )
                self._rest(MISSING_ROW_SECONDS)
                found = self._insist("read a lane", lambda: errands.read_lane(key))
            self._insist(
                "lift", lambda: errands.change_pace(lambda pace: steps.unblock(pace, name))
            )
        lane, is_cancelled = found
        with self.crew.lock:
            self.crew.delivery.begin_lane(lane, is_cancelled=is_cancelled)

    def _insist(self, name: str, errand: Callable[[], T]) -> T:
        """Run an errand until the ledger lets it through, as long as this process is wanted."""
        while True:
            try:
                return errand()
            except LedgerError as error:
                self._around.observe(LedgerFailed(name, str(error)))
            self._rest(LEDGER_RETRY_SECONDS)

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.alive_at = self._around.clock.now()
            self._check_owner()
            time.sleep(WATCH_SECONDS)


def _own(shard: str, token: str, clock: Clock) -> Callable[[Pace], Pace]:
    return lambda pace: own(pace, shard, token, now=clock.now())
