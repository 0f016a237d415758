"""The parts of a shard process, put together."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from consumer.adapters.api_tls import client_certificate
from consumer.adapters.http_api import HttpApi
from consumer.adapters.sign_in_from_settings import sign_in_from
from consumer.delivery.delivery_settings import DeliverySettings
from consumer.kcl.guard import Guard, is_orphaned_from
from consumer.sending.clock import AnchoredClock
from consumer.sending.date_header import DateListener
from consumer.sending.leased_shard import LeasedShard
from consumer.sending.machine_starts import MachineStarts, starts_file
from consumer.sending.sender_threads import ProcessHooks
from consumer.settings import ConsumerSettings
from consumer.telemetry.sink import Sink
from ledger.dynamodb.connect import open_ledger
from orders.outcome import Outcome

SETTLE_SECONDS = 5.0
"""How long the ledger may take, after the last attempt, before the process ends."""


def build(
    settings: ConsumerSettings,
    run_folder: Path,
    *,
    die: Callable[[BaseException], NoReturn],
    leave: Callable[[int], NoReturn],
) -> Guard:
    """The guard with its shard; nothing runs yet."""
    clock = AnchoredClock()
    ledger = open_ledger(settings.ledger_table, connections=settings.window + 8)
    DateListener(time.monotonic, clock.heard).listen(ledger.events, "dynamodb")
    starts = starts_file(settings.machine_folder, ledger.place)
    hooks = ProcessHooks(
        clock=clock,
        starts=MachineStarts(starts, offset=clock.offset),
        observe=Sink(),
        is_orphan=is_orphaned_from(),
        fail=die,
    )
    attempt_seconds = settings.attempt_seconds
    api = HttpApi(
        settings.api_url,
        attempt_seconds=attempt_seconds,
        shape=settings.api_shape,
        sign_in=sign_in_from(settings.sign_in, region=settings.region),
        ca_file=settings.api_ca_file,
        client_cert=client_certificate(settings.api_tls),
    )
    delivery = DeliverySettings(
        shard="",
        token="",
        window_max=settings.window,
        refusal_budget=settings.refusal_budget,
        failed_alone=settings.failed_alone,
        conflict_outcome=None if settings.conflict == "retried" else Outcome(settings.conflict),
        batch_orders=settings.batch,
        batch_linger_seconds=settings.batch_linger_seconds,
    )
    shard = LeasedShard(ledger, api, hooks, delivery)
    stop_seconds = attempt_seconds + SETTLE_SECONDS
    return Guard(
        shard,
        run_folder,
        hooks,
        stop_seconds=stop_seconds,
        leave=leave,
        limits_told=api.limits_told,
    )
