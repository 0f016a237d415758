"""How an action on the ledger is carried out."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol, TypeVar

from consumer.delivery import actions
from consumer.sending.clock import Clock
from ledger.errors import LedgerError, UploadMissing
from ledger.pace import doubt
from ledger.pace.change import pace_contention
from ledger.pace.pace import Pace
from ledger.pace.reservation import Grant, Reservation, Unlimited
from ledger.pace.turns import disown, own, reserve
from ledger.pace.voiding import give_back
from ledger.ports.dead_letters import DeadLetters
from ledger.ports.lanes import LaneLedger
from ledger.ports.pace import PaceStore
from ledger.ports.uploads import UploadLedger
from ledger.uploads.lane import Lane, LaneKey
from ledger.uploads.upload import UploadState
from orders.upload import UploadId

T = TypeVar("T")


class Ledger(UploadLedger, LaneLedger, DeadLetters, PaceStore, Protocol):
    """What sending needs of the ledger."""


class LedgerCalls:
    """The ledger as sending uses it; all but `carry_out` raise LedgerError where it fails."""

    def __init__(self, ledger: Ledger, clock: Clock, *, shard: str, token: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._shard = shard
        self._token = token
        self._known = Pace()  # the item as last read or written: a guess that saves a read

    def carry_out(self, action: actions.LedgerAction) -> actions.LedgerResult:
        """The result of an action of the delivery; the error where the ledger fails."""
        try:
            match action:
                case actions.Settle():
                    return self._settle(action)
                case actions.Reserve():
                    return self._reserve(action)
                case actions.Refresh(lanes):
                    return self._refresh(lanes)
                case actions.ChangePace(step):
                    return self.change_pace(lambda pace: step(pace, self._clock.now()))
        except LedgerError as error:
            return error

    def own_shard(self) -> Pace:
        """Become the shard's owner: the process that sent for it before gets no more turns."""
        return self.change_pace(
            lambda pace: own(pace, self._shard, self._token, now=self._clock.now())
        )

    def disown_shard(self) -> None:
        """Give the shard up, which has ended."""
        self.change_pace(lambda pace: disown(pace, self._shard, self._token))

    def begins_no_more(self, begun: int) -> None:
        """Say how many orders are begun and not settled, now that no turn is taken any more."""
        self.change_pace(lambda pace: doubt.ended(pace, self._shard, self._token, begun))

    def read_lane(self, key: LaneKey) -> tuple[Lane, bool] | None:
        """A lane's row and whether its upload is cancelled; None where there is no row."""
        lane = self._ledger.read_lane(key)
        return (lane, self._is_cancelled(key.upload)) if lane else None

    def read_pace(self) -> Pace:
        """The pace as it is now."""
        self._known = self._ledger.read_pace()
        return self._known

    def change_pace(self, step: Callable[[Pace], Pace]) -> Pace:
        """Take a step from the current pace; returns the pace after it."""
        return self._step(lambda pace: (step(pace), None))[0]

    def _refresh(self, lanes: Iterable[LaneKey]) -> actions.Refreshed:
        pace = self.read_pace()
        cancelled = {key for key in lanes if self._is_cancelled(key.upload)}
        return actions.Refreshed(pace, cancelled)

    def _reserve(self, action: actions.Reserve) -> actions.TurnsReserved:
        """The condition of the write includes that this token owns the shard."""

        def step(pace: Pace) -> tuple[Pace, Reservation]:
            now = self._clock.now()
            if action.unused and pace.owners.get(self._shard) == self._token:
                pace = give_back(pace, action.unused)
            pace, reservation = reserve(
                pace,
                shard=self._shard,
                token=self._token,
                wanted=action.wanted,
                now=now,
                lead_seconds=action.lead_seconds,
                jitter_seconds=action.jitter_seconds,
            )
            pace = doubt.declared(pace, self._shard, action.begun, reservation, now=now)
            return pace, reservation

        pace, reservation = self._step(step)
        return actions.TurnsReserved(reservation, pace)

    def _step(self, step: Callable[[Pace], tuple[Pace, T]]) -> tuple[Pace, T]:
        old, is_fresh = self._known, False
        if len(old.owners) > 1:  # another process has changed it since
            old, is_fresh = self.read_pace(), True
        contention = pace_contention()
        while True:
            new, result = step(old)
            if new == old and (is_fresh or isinstance(result, Grant | Unlimited)):
                return old, result
            if new != old and self._ledger.swap_pace(old, new):
                self._known = replace(new, revision=old.revision + 1)
                return self._known, result
            contention.lost()
            old, is_fresh = self.read_pace(), True

    def _is_cancelled(self, upload: UploadId) -> bool:
        account = self._ledger.read_account(upload)
        return account is not None and account.upload.state is UploadState.CANCELLED

    def _settle(self, action: actions.Settle) -> Lane | None:
        """Dead letters before the mark, the mark before the checkpoint: a crash loses nothing."""
        for letter in action.letters:
            self._ledger.put_dead_letter(letter)
        if action.lane is None:
            return None
        lane = self._ledger.settle(action.lane, action.settlement)
        if action.settlement.ended:
            with suppress(UploadMissing):  # a person deleted its row: there is nothing to close
                self._ledger.close_if_drained(lane.key.upload, now=self._clock.now())
        return lane
