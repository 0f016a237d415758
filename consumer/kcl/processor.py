"""KCL's record processor: passes the daemon's messages to the shard.

kclpy reports success for a handler that raised, and the records would be lost: so nothing is ever
raised from here, the process ends instead. Any occurs only in this module, at kclpy's edge.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from amazon_kclpy.checkpoint_error import CheckpointError

from consumer.delivery.entries import StreamPosition, StreamRecord
from orders.envelope import decode

CHECKPOINT_RETRY_SECONDS = 1.0
_AGAIN = frozenset({"ThrottlingException", "KinesisClientLibDependencyException"})

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The daemon no longer holds the shard: stop sending."""


class Shard(Protocol):
    """A leased shard; consumer.sending.leased_shard is the real one."""

    def begin(self, shard: str) -> None:
        """Take the shard over."""

    def feed(
        self, records: list[StreamRecord], checkpoint: Callable[[StreamPosition], bool]
    ) -> None:
        """Take records; returns when there is room for more, writing checkpoints meanwhile.

        `checkpoint` writes a position; False: try again later. What it raises is passed on.
        """

    def drain(self, checkpoint: Callable[[StreamPosition], bool]) -> None:
        """Send and settle all orders in hand."""

    def give_up(self) -> None:
        """The end of the shard has been written."""

    def stop(self) -> None:
        """Start nothing more; returns when what is in flight is settled."""


class RecordProcessor:
    """The processor that kclpy calls; its interface is kclpy's, version 3."""

    version = 3

    def __init__(self, shard: Shard, die: Callable[[BaseException], None]) -> None:
        """`die` ends the process without an answer to the daemon."""
        self._shard = shard
        self._die = die

    def initialize(self, initialize_input: Any) -> None:  # noqa: ANN401
        """A shard was leased."""
        self._guard(lambda: self._shard.begin(str(initialize_input.shard_id)))

    def process_records(self, process_records_input: Any) -> None:  # noqa: ANN401
        """Records were read; returns when there is room for more."""
        self._guard(lambda: self._feed(process_records_input))

    def _feed(self, process_records_input: Any) -> None:  # noqa: ANN401
        checkpoint = _checkpoint_by(process_records_input.checkpointer)
        records = [_record(record) for record in process_records_input.records]
        try:
            self._shard.feed(records, checkpoint)
        except LeaseLost:
            log.warning("the lease is lost; no more orders are sent")
            self._shard.stop()

    def lease_lost(self, lease_lost_input: Any) -> None:  # noqa: ANN401, ARG002
        """Another worker has the shard: finish what is in flight, send nothing more."""
        self._guard(self._shard.stop)

    def shard_ended(self, shard_ended_input: Any) -> None:  # noqa: ANN401
        """The shard is closed: its end is written only once everything delivered is settled."""
        self._guard(lambda: self._end(shard_ended_input))

    def _end(self, shard_ended_input: Any) -> None:  # noqa: ANN401
        checkpoint = _checkpoint_by(shard_ended_input.checkpointer)
        self._shard.drain(checkpoint)
        while not checkpoint(None):
            time.sleep(CHECKPOINT_RETRY_SECONDS)
        self._shard.give_up()

    def shutdown_requested(self, shutdown_requested_input: Any) -> None:  # noqa: ANN401, ARG002
        """The lease will move: settle what is in flight; the next owner skips what is settled."""
        self._guard(self._shard.stop)

    def _guard(self, handler: Callable[[], None]) -> None:
        try:
            handler()
        except BaseException as error:  # noqa: BLE001 - kclpy would swallow it and lose records
            self._die(error)


def _record(record: Any) -> StreamRecord:  # noqa: ANN401
    data = bytes(record.binary_data)
    position = StreamPosition(str(record.sequence_number), int(record.sub_sequence_number or 0))
    return StreamRecord(position, decode(str(record.partition_key), data), data)


def _checkpoint_by(checkpointer: Any) -> Callable[[StreamPosition | None], bool]:  # noqa: ANN401
    """A function that writes a checkpoint; None stands for the end of the shard.

    True: written. False: try again later. It raises LeaseLost where the lease is not held, and
    CheckpointError where trying again cannot help.
    """

    def checkpoint(position: StreamPosition | None) -> bool:
        try:
            if position is None:
                checkpointer.checkpoint()
            else:  # always both: without the second, KCL uses 0 and repeats the aggregate
                checkpointer.checkpoint(position.sequence, position.sub_sequence)
        except CheckpointError as error:
            if error.value == "ShutdownException":
                raise LeaseLost(str(error.value)) from error
            if error.value not in _AGAIN:
                raise
            log.warning("the checkpoint failed and will be tried again: %s", error.value)
            return False
        return True

    return checkpoint
