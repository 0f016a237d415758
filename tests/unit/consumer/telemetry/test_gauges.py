"""What is exported of a snapshot, and that the catalogue lists all of it."""

import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from consumer.telemetry.catalogue import CATALOGUE
from consumer.telemetry.gauges import families
from consumer.telemetry.snapshot import Rare, Snapshot, never_falling
from ledger.pace.limits import Limits
from ledger.pace.margin import Margin
from ledger.pace.pace import Blocker, Pace
from ledger.pace.steps import block, carry, configure, configure_limits
from ledger.uploads.lane import Tally
from tests.support import seen

ALL_COUNTED = """
from consumer.telemetry import catalogue
from consumer.telemetry.sink import counter
from consumer.telemetry.sink import Sink
Sink()
counter(catalogue.DAEMON_RESTARTS), counter(catalogue.LEASE_CHANGES)
"""


def values(snapshot: Snapshot) -> dict[str, float]:
    """Samples by name, with the values of their labels in brackets."""
    found = {}
    for family in families(snapshot):
        for sample in family.samples:
            labels = ",".join(sample.labels[name] for name in sorted(sample.labels))
            found[f"{sample.name}[{labels}]" if labels else sample.name] = sample.value
    return found


def test_the_backlog_is_one_sample_without_labels() -> None:
    ledger = seen.ledger_seen(seen.account(tally=Tally(accepted=30, refused=2)))

    found = values(seen.snapshot(ledger))

    assert found["orders_backlog"] == 68
    assert found["orders_eta_seconds"] == 68
    assert found["orders_backlog_age_seconds"] == 60
    assert found["orders_runway_seconds"] == 90 * 86_400 - 60
    assert found["orders_settled_total[accepted]"] == 30
    assert found["orders_settled_total[refused]"] == 2
    assert found["orders_settled_total[missing]"] == 0
    assert found["orders_pace_target_per_second"] == 1


def test_each_quota_shows_what_it_allows_and_what_is_used_of_it() -> None:
    limits = Limits("50000/d,600/60m", "", "Europe/Berlin")
    pace = configure_limits(configure(Pace(), "1/s", now=seen.NOW), limits, now=seen.NOW)
    pace = replace(pace, used=pace.used.with_turns(limits.parsed, seen.NOW, 150))

    found = values(seen.snapshot(seen.ledger_seen(pace=pace)))

    assert found["orders_quota_limit[50000/d]"] == 50_000
    assert found["orders_quota_limit[600/60m]"] == 600
    assert found["orders_quota_used[50000/d]"] == 150
    assert found["orders_quota_used[600/60m]"] == 150


def test_without_a_quota_nothing_of_it_is_exported() -> None:
    found = values(seen.snapshot(seen.ledger_seen()))

    assert not [name for name in found if name.startswith("orders_quota")]


def test_with_batches_the_pace_is_shown_in_orders_and_in_requests() -> None:
    pace = carry(configure(Pace(), "1/m", now=0.0), 300)

    found = values(seen.snapshot(seen.ledger_seen(seen.account(tally=Tally()), pace=pace)))

    assert found["orders_pace_target_per_second"] == 5
    assert found["orders_pace_turns_per_second"] == pytest.approx(1 / 60)


def test_what_nobody_knows_is_nan_and_what_never_comes_is_infinite() -> None:
    ledger = seen.ledger_seen(seen.account(tally=Tally()), pace=Pace())
    found = values(seen.snapshot(ledger))
    assert math.isnan(found["orders_eta_seconds"])
    assert math.isnan(found["orders_pace_target_per_second"])
    assert math.isnan(found["orders_pace_achieved_per_second"])
    assert math.isnan(found["orders_intake_dead_letters"])

    no_limit = values(seen.snapshot(seen.ledger_seen(pace=configure(Pace(), "none", now=0.0))))

    assert no_limit["orders_pace_target_per_second"] == math.inf
    assert no_limit["orders_runway_seconds"] == math.inf


def test_the_state_of_sending_is_one_of_four_with_a_short_reason() -> None:
    pace = block(
        seen.ONE_PER_SECOND, "budget", Blocker("refusal budget spent", "30 of 40", since=0.0)
    )

    found = values(seen.snapshot(seen.ledger_seen(pace=pace)))

    assert {name: v for name, v in found.items() if name.startswith("orders_sending_state")} == {
        "orders_sending_state[,running]": 0,
        "orders_sending_state[,paused]": 0,
        "orders_sending_state[,held]": 0,
        "orders_sending_state[refusal budget spent,blocked]": 1,
    }


def test_uploads_are_counted_by_state_with_those_that_ended() -> None:
    gone = seen.ended(seen.account(2, tally=Tally(accepted=7, refused=3, missing=1), invalid=4))
    redriven = seen.ended(seen.account(3, tally=Tally(refused=5)))
    gone = replace(gone, upload=replace(gone.upload, letters_closed=1))
    linked = replace(redriven.upload, linked=gone.upload.id, letters_closed=5)
    rare = Rare((gone, replace(redriven, upload=linked)), intake_dead_letters=2)

    ledger = seen.ledger_seen(seen.account(1, tally=Tally(refused=1)))
    found = values(seen.snapshot(ledger, rare=rare))

    assert found["orders_uploads[sending]"] == 1
    assert found["orders_uploads[done_with_problems]"] == 2
    assert found["orders_uploads[reading]"] == 0
    assert found["orders_invalid"] == 4
    assert found["orders_missing"] == 1
    assert found["orders_dead_letters"] == 3
    assert found["orders_intake_dead_letters"] == 2


def test_the_checkpoint_is_old_only_while_orders_wait_for_it() -> None:
    old = seen.NOW - 50

    idle = values(seen.snapshot(None, seen.shard(unsettled=0, checkpoint_at=old)))
    behind = seen.shard(unsettled=3, checkpoint_at=old)
    busy = values(seen.snapshot(None, behind, seen.shard(21, unsettled=1)))

    assert idle["orders_checkpoint_age_seconds"] == 0
    assert busy["orders_checkpoint_age_seconds"] == 50
    assert busy["orders_shards"] == 2


def test_a_counter_never_falls() -> None:
    assert never_falling(Tally(5, 2, 0, 3), Tally(6, 1, 0, 2)) == Tally(6, 2, 0, 3)


def test_before_the_first_look_only_what_is_known_is_exported() -> None:
    found = values(seen.snapshot(None))

    assert "orders_backlog" not in found
    assert found["orders_view_age_seconds"] == math.inf


def test_every_metric_of_the_catalogue_is_exported_and_no_other(tmp_path: Path) -> None:
    state = {family.name for family in families(seen.snapshot(seen.ledger_seen()))}
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    program = f"{ALL_COUNTED}\nfrom consumer.telemetry.sink import _REGISTRY as all\n"
    program += "print(*(family.name for family in all.collect()))"

    counted = subprocess.run(
        [sys.executable, "-c", program], check=True, env=environment, capture_output=True, text=True
    ).stdout.split()

    assert {m.name.removesuffix("_total") for m in CATALOGUE if m.origin == "state"} == state
    assert {m.name.removesuffix("_total") for m in CATALOGUE if m.origin == "process"} == set(
        counted
    )


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_names_follow_the_rules(metric: object) -> None:
    assert isinstance(metric, type(CATALOGUE[0]))
    assert metric.name.startswith("orders_")
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.about.endswith(".")
    assert sorted(metric.buckets) == list(metric.buckets)


def test_the_margin_that_429s_have_taught_is_told_and_0_without_any() -> None:
    taught = replace(seen.ONE_PER_SECOND, margin=Margin(0.04, since=seen.NOW))

    found = values(seen.snapshot(seen.ledger_seen(pace=taught)))
    without = values(seen.snapshot(seen.ledger_seen(pace=seen.ONE_PER_SECOND)))

    assert found["orders_pace_margin_seconds"] == pytest.approx(0.04)
    assert without["orders_pace_margin_seconds"] == 0.0
