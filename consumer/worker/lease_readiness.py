"""Is KCL's lease table ready for the daemon, and does a new application have its first leases?

KCL would wait for the index inside the daemon, for up to an hour and without a word; here the
worker waits before it starts the daemon, says what for, and stays healthy (decision 81).
"""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from consumer.kcl.first_leases import first_leases
from consumer.kcl.lease_table import (
    BeingMade,
    IndexOfNoStatus,
    LeaseTable,
    Missing,
    Usable,
    WithoutIndex,
)
from consumer.worker.arrival import Patience
from ledger.errors import LedgerUnreachable

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import ShardTypeDef

TABLE_LOOK_SECONDS = 1.0

log = logging.getLogger(__name__)


def wait_for_lease_table(
    table: LeaseTable,
    *,
    is_over: Callable[[], bool],
    wait: Callable[[float], None],
    tell: Callable[[str], None],
) -> bool:
    """Wait until the daemon can start on the table; make what is missing. False if is_over().

    `tell` gets what is waited for. Raises ForeignTable, and LedgerUnreachable as Patience does.
    """
    patience = Patience(wait, tell)
    said = ""
    while not is_over():
        try:
            state = table.look()
            match state:
                case Usable():
                    return True
                case Missing():
                    log.info("creating the lease table %s", table.name)
                    table.make()
                case WithoutIndex():
                    log.info("adding the index by owner to the lease table %s", table.name)
                    table.add_index()
                case IndexOfNoStatus():
                    table.drop_index()
                case BeingMade(what):
                    sentence = f"waiting for DynamoDB: {what}"
                    if sentence != said:
                        log.info("%s", sentence)
                    said = sentence
                    tell(sentence)
                    wait(TABLE_LOOK_SECONDS)
        except LedgerUnreachable as error:
            patience.bear(error)
        else:
            patience.reached()
    return False


def write_first_leases(
    table: LeaseTable, shards: "Callable[[], Sequence[ShardTypeDef]]", owners: Sequence[str]
) -> None:
    """Give a new application its leases; whatever goes wrong, KCL finds them itself, only later.

    `owners` are the KCL worker ids of all workers: several that start at once write the same.
    """
    try:
        if not table.is_empty():
            return
        leases = first_leases(shards(), owners)
        if leases is None:
            log.info("a new application: the KCL finds its shards, which may take a minute")
        elif table.write(leases):
            log.info("a new application: wrote the leases of %d shards", len(leases))
    except (LedgerUnreachable, ClientError, BotoCoreError) as error:
        log.warning("the first leases are left to the KCL, which takes up to a minute: %s", error)


def shards_of(stream: str) -> "list[ShardTypeDef]":
    """Every shard of the stream, closed ones included. Raises what boto3 raises."""
    config = Config(connect_timeout=2.0, read_timeout=5.0, retries={"total_max_attempts": 3})
    kinesis = boto3.session.Session().client("kinesis", config=config)
    pages = kinesis.get_paginator("list_shards").paginate(StreamName=stream)
    return [shard for page in pages for shard in page["Shards"]]
