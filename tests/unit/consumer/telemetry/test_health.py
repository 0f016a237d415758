"""Alive means that a new start would not help; ready means that orders are sent."""

from dataclasses import replace

import pytest

from consumer.run_folder import Phase
from consumer.telemetry.health import all_fine, liveness, readiness
from consumer.telemetry.snapshot import Snapshot
from consumer.telemetry.worker_view import WorkerView
from ledger.pace.pace import Blocker, Pause
from ledger.pace.steps import block, pause
from tests.support import seen

WELL = seen.snapshot(seen.ledger_seen(), seen.shard())


def is_alive(snapshot: Snapshot, *, workers: int = 1, watcher_lives: bool = True) -> bool:
    return all_fine(liveness(snapshot, workers=workers, watcher_lives=watcher_lives))


def is_ready(snapshot: Snapshot, *, workers: int = 1) -> bool:
    return all_fine(readiness(snapshot, workers=workers))


def test_a_worker_with_a_shard_is_alive_and_ready() -> None:
    assert is_alive(WELL)
    assert is_ready(WELL)


@pytest.mark.parametrize(("silent_seconds", "alive"), [(59, True), (61, False)])
def test_a_shard_process_that_makes_no_progress_is_dead(
    silent_seconds: float, *, alive: bool
) -> None:
    shard = seen.shard(alive_at=seen.NOW - silent_seconds)

    assert is_alive(seen.snapshot(None, shard)) == alive


@pytest.mark.parametrize(("age_seconds", "alive"), [(299.0, True), (301.0, False)])
def test_a_daemon_may_take_minutes_to_get_its_first_shard(
    age_seconds: float, *, alive: bool
) -> None:
    worker = replace(WELL.worker, daemon_since=WELL.monotonic - age_seconds)
    bootstrapping = replace(WELL, worker=worker, shards=())

    assert is_alive(bootstrapping) == alive
    assert is_alive(bootstrapping, workers=2)
    assert not is_ready(bootstrapping)


@pytest.mark.parametrize(("gone_seconds", "alive"), [(100.0, True), (130.0, False)])
def test_the_longest_back_off_is_no_death(gone_seconds: float, *, alive: bool) -> None:
    worker = WorkerView(phase=Phase.WAITING, number=1, phase_since=WELL.monotonic - gone_seconds)

    assert is_alive(replace(WELL, worker=worker, shards=())) == alive


def test_a_worker_that_waits_for_a_number_is_alive_but_not_ready() -> None:
    worker = WorkerView(waits_for="waiting for its only number: held elsewhere")
    waiting = replace(WELL, worker=worker, shards=())

    assert is_alive(waiting)
    assert not is_ready(waiting)


def test_when_nobody_looks_any_more_it_is_dead() -> None:
    assert not is_alive(WELL, watcher_lives=False)


def test_a_ledger_out_of_reach_is_no_death_but_not_ready() -> None:
    blind = replace(WELL, at=seen.NOW + 31, trouble="the ledger did not answer")
    blind = replace(blind, shards=(seen.shard(alive_at=seen.NOW + 31),))

    assert is_alive(blind)
    told = [finding.says for finding in readiness(blind, workers=1) if not finding.is_fine]
    assert told == ["the ledger did not answer"]


@pytest.mark.parametrize(("skew", "ready"), [(0.9, True), (1.1, False), (-1.1, False)])
def test_a_wrong_clock_is_not_ready(skew: float, *, ready: bool) -> None:
    assert is_ready(replace(WELL, skew_seconds=skew)) == ready


def test_blocked_is_not_ready_and_paused_is() -> None:
    blocked = block(
        seen.ONE_PER_SECOND, "x", Blocker("refusal budget spent", "30 of 40", since=0.0)
    )
    paused = pause(seen.ONE_PER_SECOND, Pause("ann", "stocktaking", since=0.0, until=None))

    assert not is_ready(replace(WELL, ledger=seen.ledger_seen(pace=blocked)))
    assert is_ready(replace(WELL, ledger=seen.ledger_seen(pace=paused)))


def test_a_full_disk_is_no_death_but_not_ready() -> None:
    shard = seen.shard(alive_at=seen.NOW - 600)
    full = replace(WELL, shards=(shard,), folder_trouble="nothing can be written: No space left")

    assert is_alive(full)
    told = [finding.says for finding in readiness(full, workers=1) if not finding.is_fine]
    assert told == ["nothing can be written: No space left"]
