"""The life of one leased shard: its owner token, its orders, its checkpoints, its end."""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from consumer.delivery.attempts import Api
from consumer.delivery.delivery import Delivery
from consumer.delivery.delivery_settings import DeliverySettings
from consumer.delivery.entries import StreamPosition, StreamRecord
from consumer.delivery.events import LedgerFailed
from consumer.sending.ledger_calls import Ledger, LedgerCalls
from consumer.sending.sender_threads import LEDGER_RETRY_SECONDS, ProcessHooks, SenderThreads
from ledger.errors import LedgerError
from ledger.pace import steps
from ledger.pace.pace import Blocker, BlockReason
from ledger.uploads.lane import Lane, LaneKey

log = logging.getLogger(__name__)

ORPHAN_CHECK_SECONDS = 0.25
"""How often a wait checks whether the daemon is gone."""
CHECKPOINT_SECONDS = 0.2
"""Two checkpoints are at least this far apart: a restart skips what is settled anyway."""
MISSING_ROW_SECONDS = 1.0
"""How often a lane's missing row is looked for again, and its blocker set again after a resume."""
SPARE_THREADS = 3
"""Beside one thread for each attempt: the pace, a settle, a refresh."""

T = TypeVar("T")
WriteCheckpoint = Callable[[StreamPosition], bool]


class OwnershipLost(Exception):
    """Another process owns this shard now."""


class LeasedShard:
    """The orders of one shard, sent by sender threads; KCL's main thread feeds it."""

    def __init__(
        self, ledger: Ledger, api: Api, hooks: ProcessHooks, settings: DeliverySettings
    ) -> None:
        """`settings.shard` and `.token` are set when the shard begins.

        alive_at: when the daemon's thread was last at work here, waiting included; a daemon that
        hangs no longer calls, with or without records.
        """
        self._ledger = ledger
        self._api = api
        self._hooks = hooks
        self._settings = settings
        self._threads: SenderThreads | None = None
        self._checkpointed: StreamPosition | None = None
        self._next_checkpoint_at = 0.0
        self.checkpoint_at: float | None = None
        self.alive_at = hooks.clock.now()

    @property
    def delivery(self) -> Delivery | None:
        """The delivery, once the shard has begun."""
        return self._threads.delivery if self._threads else None

    @property
    def threads(self) -> SenderThreads:
        """The threads. The shard must have begun."""
        if self._threads is None:
            raise RuntimeError("records came before the shard was initialized")
        return self._threads

    def begin(self, shard: str) -> None:
        """Become the shard's owner: the process that sent for it before gets no more turns."""
        clock, starts = self._hooks.clock, self._hooks.starts
        token = f"{starts.machine}-{secrets.token_hex(8)}"
        ledger_calls = LedgerCalls(self._ledger, clock, shard=shard, token=token)
        pace = self._insist("own the shard", ledger_calls.own_shard)
        settings = replace(self._settings, shard=shard, token=token)
        delivery = Delivery(settings, pace, self._hooks.observe, starts)
        threads_max = settings.window_max + SPARE_THREADS
        threads = SenderThreads(
            delivery, ledger_calls, self._api, self._hooks, threads_max=threads_max
        )
        threads.start()
        self._threads = threads
        log.info("shard %s: sending begins", shard)

    def feed(self, records: list[StreamRecord], checkpoint: WriteCheckpoint) -> None:
        """Take records; returns when at most one window is unsettled. See kcl.processor.Shard."""
        threads, delivery = self.threads, self.threads.delivery
        self.alive_at = self._hooks.clock.now()
        while True:
            with threads.lock:
                unread = delivery.lanes.unread(records)
                if not unread:
                    delivery.take(records, self._hooks.clock.now())
                    threads.wake()
                    break
            for key in unread:
                self._begin_lane(key)
        self._until(lambda: delivery.has_room, checkpoint)

    def drain(self, checkpoint: WriteCheckpoint) -> None:
        """Send and settle all in hand. Raises OwnershipLost."""
        delivery = self.threads.delivery
        self._until(lambda: not delivery.unsettled, checkpoint)

    def give_up(self) -> None:
        """The shard has ended and needs no owner. It does no harm if that cannot be written."""
        try:
            self.threads.ledger_calls.disown_shard()
        except LedgerError as error:
            shard = self.threads.delivery.settings.shard
            log.warning("shard %s could not be given up: %s", shard, error)
            self._hooks.observe(LedgerFailed("give the shard up", str(error)))

    def stop(self) -> None:
        """Start nothing more; returns when what was on its way is settled."""
        if self._threads is None:
            return
        threads = self._threads
        with threads.lock:
            threads.delivery.stop()
            threads.wake()
            while not threads.delivery.is_quiet:
                threads.settled.wait(ORPHAN_CHECK_SECONDS)
            begun = threads.delivery.maybe_begun
        try:
            threads.ledger_calls.begins_no_more(begun)
        except LedgerError as error:  # then the next owner believes more 409s than needed
            log.warning("the pace does not say what was settled at the stop: %s", error)

    def _until(self, is_enough: Callable[[], bool], checkpoint: WriteCheckpoint) -> None:
        """Wait for the threads, and let the checkpoint follow what is settled."""
        threads = self.threads
        while True:
            self.alive_at = self._hooks.clock.now()
            with threads.lock:
                frontier = threads.delivery.frontier
                self._check_owner()
                may_write = self._hooks.clock.now() >= self._next_checkpoint_at
                if frontier == self._checkpointed or not may_write:
                    if is_enough():
                        return
                    threads.settled.wait(ORPHAN_CHECK_SECONDS)
                    continue
            if frontier is not None:
                self._write(frontier, checkpoint)

    def _check_owner(self) -> None:
        delivery = self.delivery
        if (delivery and delivery.is_superseded) or self._hooks.is_orphan():
            raise OwnershipLost("another process owns this shard, or the daemon is gone")

    def _write(self, frontier: StreamPosition, checkpoint: WriteCheckpoint) -> None:
        began_at = self._hooks.clock.now()
        if checkpoint(frontier):
            self._checkpointed = frontier
            self.checkpoint_at = self._hooks.clock.now()
            self._next_checkpoint_at = began_at + CHECKPOINT_SECONDS
        else:
            self._next_checkpoint_at = began_at + LEDGER_RETRY_SECONDS

    def _begin_lane(self, key: LaneKey) -> None:
        """Read a lane's row. None there blocks the shard: it never means "start at line 0"."""
        found = self._read_lane(key)
        if found is None:
            found = self._read_missing_lane(key)
        lane, is_cancelled = found
        with self.threads.lock:
            self.threads.delivery.lanes.begin(lane, is_cancelled=is_cancelled)

    def _read_lane(self, key: LaneKey) -> tuple[Lane, bool] | None:
        return self._insist("read a lane", lambda: self.threads.ledger_calls.read_lane(key))

    def _read_missing_lane(self, key: LaneKey) -> tuple[Lane, bool]:
        """Wait until the row is there; until then the shard is blocked, even after a resume."""
        change_pace = self.threads.ledger_calls.change_pace
        name = f"{self.threads.delivery.settings.shard} ledger row"
        detail = f"lane {key.lane} of upload {key.upload} has no row in the ledger"
        blocker = Blocker(BlockReason.ROW_MISSING, detail, self._hooks.clock.now())
        log.error("%s; sending of this shard is blocked", detail)
        found = None
        while found is None:
            self._insist(
                "block", lambda: change_pace(lambda pace: steps.block(pace, name, blocker))
            )
            self._rest(MISSING_ROW_SECONDS)
            found = self._read_lane(key)
        self._insist("unblock", lambda: change_pace(lambda pace: steps.unblock(pace, name)))
        return found

    def _insist(self, name: str, call: Callable[[], T]) -> T:
        """Repeat a ledger call until it succeeds, while this process owns the shard."""
        while True:
            try:
                return call()
            except LedgerError as error:
                self._hooks.observe(LedgerFailed(name, str(error)))
            self._rest(LEDGER_RETRY_SECONDS)

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.alive_at = self._hooks.clock.now()
            self._check_owner()
            time.sleep(ORPHAN_CHECK_SECONDS)
