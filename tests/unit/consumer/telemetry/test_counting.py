"""Counting over processes: sums that survive the processes, gauges that do not."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumer.telemetry.exposition import Exposition
from consumer.telemetry.snapshot import Snapshot
from consumer.telemetry.worker_view import WorkerView

SHARD = """
from consumer.delivery.events import *
from consumer.telemetry.sink import Sink
from ledger.uploads.lane import LaneKey, LaneNumber
from orders.upload import UploadId

sink = Sink()
key = LaneKey(UploadId("0" * 20), LaneNumber(0))
sink(Attempted("accepted", 0.2, None))
sink(Attempted("unavailable", 0.4, 1.0))
sink(RepeatsSkipped(3))
sink(OrdersMissing(key, 2))
sink(TurnsWasted(0.5))
sink(WindowSized(7))
sink(HeldFor("throttled", 2.5))
sink(LedgerFailed("settle", "no answer"))
sink(WaitCapped("a day"))
"""
NOTHING_SEEN = Snapshot(at=100.0, monotonic=0.0, worker=WorkerView(), shards=(), ledger=None)


def run_shard(folder: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    subprocess.run([sys.executable, "-c", SHARD], check=True, env=environment)


def samples(exposition: Exposition) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = exposition.text(NOTHING_SEEN).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not math.isnan(sample.value)
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for _ in range(2):
        run_shard(tmp_path)
    return tmp_path


def test_what_processes_counted_is_added_up(folder: Path) -> None:
    found = samples(Exposition(folder))

    assert found["orders_attempts_total", (("result", "accepted"),)] == 2
    assert found["orders_attempts_total", (("result", "throttled"),)] == 0
    assert found["orders_repeats_skipped_total", ()] == 6
    assert found["orders_turns_wasted_total", ()] == 1
    assert found["orders_held_seconds_total", (("reason", "throttled"),)] == 5
    assert found["orders_ledger_errors_total", ()] == 2
    assert found["orders_waits_capped_total", ()] == 2
    assert found["orders_attempt_gap_seconds_count", ()] == 2
    assert found["orders_attempt_gap_seconds_bucket", (("le", "0.99"),)] == 0
    assert found["orders_attempt_gap_seconds_bucket", (("le", "1.01"),)] == 2
    assert found["orders_window", ()] == 14


def test_counts_of_ended_processes_are_kept_in_one_file_and_their_gauges_dropped(
    folder: Path,
) -> None:
    exposition = Exposition(folder)
    before = samples(exposition)

    exposition.fold(lambda _: False)

    after = samples(exposition)
    window = ("orders_window", ())
    assert before.pop(window) == 14
    assert window not in after
    assert after == before
    assert {path.name for path in folder.iterdir()} == {"counter_ended.db", "histogram_ended.db"}


def test_folding_again_adds_what_ended_since(folder: Path) -> None:
    exposition = Exposition(folder)
    exposition.fold(lambda _: False)
    run_shard(folder)

    exposition.fold(lambda _: False)
    exposition.fold(lambda _: False)

    assert samples(exposition)["orders_repeats_skipped_total", ()] == 9


def test_files_of_living_processes_are_left_alone(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}

    Exposition(folder).fold(lambda _: True)

    assert {path.name for path in folder.iterdir()} == names


def test_a_file_that_was_made_just_now_is_passed_over(folder: Path) -> None:
    (folder / "counter_999999.db").touch()

    assert samples(Exposition(folder))["orders_repeats_skipped_total", ()] == 6


def test_a_failure_of_the_ledger_is_said_and_not_each_second(tmp_path: Path) -> None:
    script = """
from consumer.delivery.events import LedgerFailed
from consumer.telemetry.sink import Sink

sink = Sink()
for call in ("settle", "settle", "read the pace", "settle"):
    sink(LedgerFailed(call, "no answer"))
"""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    ended = subprocess.run(
        [sys.executable, "-c", script], check=True, env=environment, capture_output=True, text=True
    )

    assert ended.stderr.splitlines() == [
        "settle: no answer; trying again",
        "read the pace: no answer; trying again",
    ]
