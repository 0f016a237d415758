"""When may the next attempt start? The pure steps of the pace, one rule a test."""

from dataclasses import replace
from itertools import pairwise

import pytest

from ledger.pace.hold import BACK_OFF_SECONDS, HOLD_SECONDS_MAX, Failure, HoldKind
from ledger.pace.pace import (
    BATCH_SECONDS,
    GAP_SHARE,
    NOTICE_SECONDS,
    Blocker,
    Override,
    Pace,
    Pause,
)
from ledger.pace.reservation import (
    ACTIVE_SECONDS,
    LATE_SECONDS,
    Closed,
    Grant,
    Superseded,
    Unlimited,
)
from ledger.pace.steps import (
    THROTTLED_ROW,
    answered,
    block,
    configure,
    failed,
    override,
    pause,
    resume,
    unblock,
)
from ledger.pace.turns import disown, own, reserve

NOW = 1_000_000.0
SHARD, OTHER_SHARD = "shardId-000000000000", "shardId-000000000001"
HOUR_SECONDS = 3_600.0


def at(rate: str) -> Pace:
    """A pace with two shards owned, each under its own name."""
    pace = configure(Pace(), rate, now=NOW)
    return own(own(pace, SHARD, SHARD, now=NOW), OTHER_SHARD, OTHER_SHARD, now=NOW)


def granted(
    pace: Pace, now: float = NOW, *, wanted: int = 1, shard: str = SHARD
) -> tuple[Pace, Grant]:
    """The pace after a reservation that hands out turns."""
    pace, result = reserve(pace, shard=shard, token=shard, wanted=wanted, now=now)
    assert isinstance(result, Grant)
    return pace, result


def fails(
    pace: Pace, kind: HoldKind = HoldKind.UNAVAILABLE, *, now: float, wait_seconds: float = 0.0
) -> Pace:
    """The pace after an attempt of its own generation failed."""
    return failed(pace, Failure(kind, pace.generation, "503", wait_seconds, now), now=now)


def test_turns_of_all_processes_lie_one_interval_apart() -> None:
    pace, first = granted(at("2/s"))
    pace, second = granted(pace, shard=OTHER_SHARD)
    _, third = granted(pace, NOW + 0.1)

    assert [first.turns, second.turns, third.turns] == [(NOW,), (NOW + 0.5,), (NOW + 1.0,)]


def test_lateness_does_not_add_up() -> None:
    pace, now = at("1/s"), NOW
    for number in range(1_000):
        late_seconds = (number * 37 % 100) / 1_000
        pace, grant = granted(pace, now + late_seconds if number else now)
        now = grant.turns[0]

    assert now == NOW + 999.0


def test_a_turn_that_nobody_took_is_lost_and_not_made_good_by_a_burst() -> None:
    pace, _ = granted(at("1/s"))

    turns: list[float] = []
    for _number in range(3):
        pace, grant = granted(pace, NOW + 60.0)
        turns.extend(grant.turns)

    assert turns == [NOW + 60.0, NOW + 61.0, NOW + 62.0]


def test_a_high_rate_grants_at_most_a_fifth_of_a_second_of_turns() -> None:
    _, grant = granted(at("1000/s"), wanted=5_000)

    assert len(grant.turns) == 200
    assert grant.turns[-1] - grant.turns[0] < BATCH_SECONDS


def test_a_low_rate_grants_one_turn_at_a_time() -> None:
    _, grant = granted(at("4/s"), wanted=10)

    assert grant.turns == (NOW,)


def test_without_a_rate_there_is_no_turn_and_the_reason_says_what_to_do() -> None:
    _, result = reserve(
        own(Pace(), SHARD, SHARD, now=NOW), shard=SHARD, token=SHARD, wanted=1, now=NOW
    )

    assert isinstance(result, Closed)
    assert "ORDERS_RATE" in result.reason


def test_the_rate_none_needs_no_turns_but_still_the_fence() -> None:
    pace = at("none")

    owner = reserve(pace, shard=SHARD, token=SHARD, wanted=1, now=NOW)[1]
    other = reserve(pace, shard=SHARD, token="old", wanted=1, now=NOW)[1]

    assert owner == Unlimited(pace.epoch, pace.generation)
    assert other == Superseded()


def test_a_superseded_process_gets_no_turn_even_while_paused() -> None:
    pace = own(at("1/s"), SHARD, "new", now=NOW)
    paused = pause(pace, Pause("ann", "lunch", NOW, None))

    for one in (pace, paused):
        assert reserve(one, shard=SHARD, token=SHARD, wanted=1, now=NOW) == (one, Superseded())


def test_a_process_gives_up_only_the_shard_that_it_still_owns() -> None:
    pace = own(at("1/s"), SHARD, "new", now=NOW)

    assert disown(pace, SHARD, "old") == pace
    assert SHARD not in disown(pace, SHARD, "new").owners


def test_a_faster_rate_counts_from_the_last_start() -> None:
    pace, _ = granted(at("6/m"))
    pace, waiting = granted(pace, NOW + 1.0)

    pace = configure(pace, "2/s", now=NOW + 3.0)
    _, grant = granted(pace, NOW + 3.0)

    assert waiting.turns == (NOW + 10.0,)
    assert waiting.epoch != pace.epoch
    assert grant.turns == (NOW + 3.0,)


def test_a_slower_rate_leaves_the_next_turn_where_it_was() -> None:
    pace, _ = granted(at("1/s"))

    pace = configure(pace, "6/m", now=NOW + 0.5)
    pace, first = granted(pace, NOW + 0.5)
    _, second = granted(pace, NOW + 1.5)

    assert (first.turns, second.turns) == ((NOW + 1.0,), (NOW + 11.0,))


def test_a_rate_that_was_changed_and_changed_back_gives_no_turn_away() -> None:
    pace, _ = granted(at("6/m"))

    for rate in ("2/s", "6/m"):
        pace = configure(pace, rate, now=NOW + 0.1)
    _, grant = granted(pace, NOW + 0.1)

    assert grant.turns == (NOW + 10.0,)


def test_an_equal_rate_voids_no_turns() -> None:
    pace, _ = granted(at("60/m"))

    same = override(configure(pace, "1/s", now=NOW), Override("1/s", "ann", "", None), now=NOW)

    assert same.epoch == pace.epoch


def test_an_override_ends_by_itself_and_wastes_no_turn() -> None:
    pace = override(at("10/s"), Override("1/h", "ann", "night", NOW + 60.0), now=NOW)
    pace, slow = granted(pace)
    pace, next_slow = granted(pace, NOW + 30.0)

    pace, fast = granted(pace, NOW + 61.0)

    assert (slow.turns, next_slow.turns) == ((NOW,), (NOW + HOUR_SECONDS,))
    assert (fast.turns, fast.interval, fast.was_reset) == ((NOW + 61.0,), 0.1, False)
    assert fast.epoch != next_slow.epoch
    assert pace.override is None


@pytest.mark.parametrize("configured", [None, "30/m"])
def test_a_change_after_an_override_ended_by_itself_keeps_the_interval(
    configured: str | None,
) -> None:
    pace, first = granted(at("20/m"))
    pace = override(pace, Override("1/s", "ann", "", NOW + 1.0), now=NOW)

    if configured:
        pace = configure(pace, configured, now=NOW + 1.0)
    else:
        pace = override(pace, None, now=NOW + 1.0)
    _, following = granted(pace, NOW + 1.0)

    assert following.turns[0] - first.turns[0] == (2.0 if configured else 3.0)


def test_an_override_survives_a_restart_with_another_configured_rate() -> None:
    pace = override(at("1/s"), Override("5/s", "ann", "", None), now=NOW)

    pace = configure(pace, "2/s", now=NOW)
    back = override(pace, None, now=NOW)

    assert str(pace.rate(NOW)) == "5/s"
    assert str(back.rate(NOW)) == "2/s"


def test_a_pause_voids_the_turns_that_have_not_started_and_ends_without_a_burst() -> None:
    pace, before = granted(at("1/s"))
    pace, waiting = granted(pace)

    paused = pause(pace, Pause("ann", "lunch", NOW + 0.5, None))
    _, closed = reserve(paused, shard=SHARD, token=SHARD, wanted=1, now=NOW + 5.0)
    pace, first = granted(resume(paused), NOW + 600.0)
    _, second = granted(pace, NOW + 600.0)

    assert before.epoch == waiting.epoch < paused.epoch
    assert closed == Closed("paused by ann: lunch", None)
    assert (first.turns, second.turns) == ((NOW + 600.0,), (NOW + 601.0,))


def test_a_short_pause_does_not_shorten_the_interval() -> None:
    pace, _ = granted(at("1/s"))
    pace = resume(pause(pace, Pause("ann", "oops", NOW + 0.1, None)))

    _, grant = granted(pace, NOW + 0.2)

    assert grant.turns == (NOW + 1.0,)


def test_a_pause_with_an_end_is_over_then() -> None:
    pace = pause(at("1/s"), Pause("ann", "lunch", NOW, NOW + 60.0))

    _, during = reserve(pace, shard=SHARD, token=SHARD, wanted=1, now=NOW + 59.9)
    _, after = granted(pace, NOW + 60.0)

    assert during == Closed("paused by ann: lunch", NOW + 60.0)
    assert after.turns == (NOW + 60.0,)


def test_a_blocker_of_one_shard_holds_that_shard_only() -> None:
    pace = block(at("1/s"), SHARD, Blocker("unknown version", "9", NOW))

    _, blocked = reserve(pace, shard=SHARD, token=SHARD, wanted=1, now=NOW)
    _, free = granted(pace, shard=OTHER_SHARD)

    assert blocked == Closed("unknown version: 9", None)
    assert free.turns == (NOW,)


def test_a_blocker_goes_when_it_is_lifted_resumed_or_its_shard_is_taken_over() -> None:
    pace = block(at("1/s"), SHARD, Blocker("unknown version", "9", NOW))

    assert unblock(pace, SHARD).blockers == {}
    assert own(pace, SHARD, "new", now=NOW).blockers == {}
    assert (resume(pace).blockers, resume(pace).resumed) == ({}, 1)


def test_an_equal_blocker_keeps_the_time_it_was_first_set() -> None:
    pace = block(at("1/s"), "refusals", Blocker("refusal budget spent", "21 of 100", NOW))

    again = block(pace, "refusals", Blocker("refusal budget spent", "21 of 100", NOW + 60.0))
    other = block(pace, "refusals", Blocker("refusal budget spent", "40 of 100", NOW + 60.0))

    assert again == pace
    assert other.blockers["refusals"].since == NOW + 60.0


def test_a_failure_holds_sending_and_voids_the_turns_of_before() -> None:
    pace, before = granted(at("10/s"))

    held = fails(pace, now=NOW + 0.05)

    assert held.generation != before.generation
    assert held.hold is not None
    assert (held.hold.since, held.hold.until) == (NOW + 0.05, NOW + 1.05)


def test_a_hold_grants_one_probe_a_step_to_the_whole_fleet() -> None:
    pace = fails(at("10/s"), now=NOW)

    starts: list[float] = []
    for number in range(6):
        shard = (SHARD, OTHER_SHARD)[number % 2]
        pace, grant = granted(pace, NOW, wanted=50, shard=shard)
        assert grant.is_probe
        starts.extend(grant.turns)

    gaps = [b - a for a, b in pairwise(starts)]
    assert starts[0] == NOW + 1.0
    assert gaps == [2.0, 4.0, 5.0, 5.0, 5.0]


def test_an_outage_of_ten_minutes_costs_some_125_requests_and_five_seconds() -> None:
    pace, now, probes = fails(at("1/s"), now=NOW), NOW, 0
    while now < NOW + 600.0:
        pace, grant = granted(pace, now)
        now = grant.turns[0]
        pace = fails(pace, now=now + 0.01)
        probes += 1
    pace, last = granted(pace, now)

    assert 118 <= probes <= 130
    assert last.turns[0] - (NOW + 600.0) <= 5.0 + 5.0


def test_probes_at_a_low_rate_keep_its_interval() -> None:
    pace, before = granted(at("6/m"))
    pace = fails(pace, now=NOW + 0.1)
    pace, first = granted(pace, NOW + 0.1)
    _, second = granted(pace, NOW + 0.1)

    assert [before.turns[0], first.turns[0], second.turns[0]] == [NOW, NOW + 10.0, NOW + 20.0]


def test_the_answer_to_a_probe_ends_the_hold_and_sending_continues_at_the_pace() -> None:
    pace = fails(at("10/s"), now=NOW)
    pace, probe = granted(pace)
    pace, waiting = granted(pace, shard=OTHER_SHARD)

    pace = answered(pace, probe.generation, now=NOW + 1.02)
    _, grant = granted(pace, NOW + 1.02)

    assert pace.hold is None
    assert waiting.generation != pace.generation
    assert not grant.is_probe
    assert grant.turns[0] == pytest.approx(NOW + 1.1)


def test_late_results_of_an_older_generation_change_nothing() -> None:
    pace, old = granted(at("10/s"))
    held = fails(pace, now=NOW)

    for kind in HoldKind:
        late = Failure(kind, old.generation, "", 60.0, NOW)
        assert failed(held, late, now=NOW + 9.0) == held
    assert answered(held, old.generation, now=NOW + 9.0) == held


def test_what_the_api_asks_for_only_extends_the_hold() -> None:
    pace = fails(at("1/s"), HoldKind.THROTTLED, now=NOW, wait_seconds=30.0)

    pace, first = granted(pace)
    shorter = fails(pace, HoldKind.THROTTLED, now=first.turns[0], wait_seconds=0.5)
    longer = fails(pace, HoldKind.THROTTLED, now=first.turns[0], wait_seconds=50.0)

    assert first.turns == (NOW + 30.0,)
    assert granted(shorter, NOW + 30.0)[1].turns == (NOW + 32.0,)
    assert granted(longer, NOW + 30.0)[1].turns == (NOW + 80.0,)


def test_more_than_an_hour_is_not_believed() -> None:
    pace = fails(at("1/s"), HoldKind.THROTTLED, now=NOW, wait_seconds=1e9)

    _, grant = granted(pace)

    assert grant.turns == (NOW + HOLD_SECONDS_MAX,)
    assert not grant.was_reset


def test_a_long_hold_shared_by_several_processes_is_believed() -> None:
    pace = fails(at("1/s"), HoldKind.THROTTLED, now=NOW, wait_seconds=HOLD_SECONDS_MAX)
    pace, first = granted(pace)

    _, second = granted(pace, shard=OTHER_SHARD)

    assert not second.was_reset
    assert second.turns[0] - first.turns[0] == 2.0


@pytest.mark.parametrize("ahead_seconds", [100.0, 86_400.0])
def test_a_next_free_time_that_nobody_can_have_reserved_is_reset_and_reported(
    ahead_seconds: float,
) -> None:
    pace, waiting = granted(at("1/s"))
    pace = replace(pace, next_free=NOW + ahead_seconds, reserved=())

    pace, grant = granted(pace, NOW + 0.25)

    assert grant.was_reset
    assert grant.turns == (NOW + 1.25,)
    assert grant.epoch != waiting.epoch


def test_a_hold_set_by_a_clock_that_was_wrong_is_reset_and_reported() -> None:
    pace = fails(at("1/s"), now=NOW + 86_400.0)

    _, grant = granted(pace, NOW)

    assert (grant.is_probe, grant.was_reset) == (True, True)
    assert grant.turns[0] <= NOW + 1.0


def test_turns_that_several_processes_hold_are_believed() -> None:
    pace, _ = granted(at("1/m"))
    pace, _ = granted(pace, shard=OTHER_SHARD)

    _, third = granted(pace, NOW + 1.0)

    assert not third.was_reset
    assert third.turns == (NOW + 120.0,)


def test_a_new_owner_gets_the_turn_back_that_the_one_before_had_not_taken() -> None:
    pace, _ = granted(own(configure(Pace(), "1/h", now=NOW), SHARD, SHARD, now=NOW))
    pace, waiting = granted(pace, NOW + 1.0)

    pace = own(pace, SHARD, "new", now=NOW + 2.0)
    pace, reservation = reserve(pace, shard=SHARD, token="new", wanted=1, now=NOW + 2.0)

    assert isinstance(reservation, Grant)
    assert reservation.turns == waiting.turns == (NOW + 3_600.0,)
    assert waiting.epoch != pace.epoch


def test_a_new_owner_keeps_its_distance_from_a_start_that_the_one_before_may_still_make() -> None:
    pace, last = granted(own(configure(Pace(), "1/s", now=NOW), SHARD, SHARD, now=NOW))

    at_once = own(pace, SHARD, "new", now=NOW + 0.1)
    later = own(pace, SHARD, "new", now=NOW + 4.0)

    assert last.turns == (NOW,)
    assert at_once.next_free == later.next_free == NOW + LATE_SECONDS + GAP_SHARE


def test_restarts_beside_other_shards_do_not_put_the_end_of_a_hold_off() -> None:
    pace, _ = granted(fails(at("1/s"), HoldKind.UNAUTHORIZED, now=NOW))
    pace, probe = granted(pace, shard=OTHER_SHARD)
    for _ in range(20):
        pace = own(pace, OTHER_SHARD, OTHER_SHARD, now=NOW)
        pace, probe = granted(pace, shard=OTHER_SHARD)

    assert probe.turns[0] <= NOW + sum(BACK_OFF_SECONDS[HoldKind.UNAUTHORIZED][:2])


def test_an_isolated_429_costs_its_turn_and_holds_nothing() -> None:
    pace, first = granted(at("1/s"))

    pace = fails(pace, HoldKind.THROTTLED, now=NOW + 0.15)
    _, second = granted(pace, NOW + 0.15)

    assert pace.hold is None
    assert (second.turns, second.generation) == ((NOW + 1.0,), first.generation)


def test_a_row_of_429s_is_a_storm_and_holds_sending() -> None:
    pace = at("1/s")
    for number in range(THROTTLED_ROW):
        assert pace.hold is None
        pace = fails(pace, HoldKind.THROTTLED, now=NOW + number)

    assert pace.hold is not None
    assert pace.hold.until == NOW + THROTTLED_ROW - 1 + BACK_OFF_SECONDS[HoldKind.THROTTLED][0]


def test_an_accepted_order_ends_a_row_of_429s() -> None:
    pace = at("1/s")
    for number in range(3 * THROTTLED_ROW):
        pace = fails(pace, HoldKind.THROTTLED, now=NOW + number)
        pace = answered(pace, pace.generation, now=NOW + number)

    assert pace.hold is None


def test_a_429_that_names_a_time_holds_sending_at_once() -> None:
    pace = fails(at("1/s"), HoldKind.THROTTLED, now=NOW, wait_seconds=0.5)

    assert pace.hold is not None


def test_turns_lie_further_apart_after_several_429s_and_by_no_more_than_the_answers_vary() -> None:
    pace = at("1/s")
    for number in range(3):
        pace = fails(pace, HoldKind.THROTTLED, now=NOW + number)
        pace = answered(pace, pace.generation, now=NOW + number)

    _, wide = granted(pace, NOW + 3.0)
    later = NOW + 400.0
    pace, result = reserve(
        pace, shard=SHARD, token=SHARD, wanted=1, now=later, jitter_seconds=0.001
    )

    assert wide.interval == pytest.approx(1.04, rel=0.001)
    assert isinstance(result, Grant)
    assert result.interval == pace.spacing_seconds(later) == 1.001


def test_a_limit_after_none_leaves_time_for_all_to_notice_it() -> None:
    pace = configure(at("none"), "1/s", now=NOW)

    _, grant = granted(pace, NOW + 0.1)

    assert grant.turns == (NOW + NOTICE_SECONDS + 1.0,)


def test_a_shard_taken_over_on_the_same_machine_gives_no_turn_away() -> None:
    pace = own(configure(Pace(), "1/s", now=NOW), SHARD, "host-1", now=NOW)
    pace, _ = reserve(pace, shard=SHARD, token="host-1", wanted=1, now=NOW)

    pace = own(pace, SHARD, "host-2", now=NOW + 0.5)

    assert pace.next_free == NOW + 1.0


@pytest.mark.parametrize("late_seconds", [0.5, 0.98, 1.02, 1.5])
def test_whenever_a_shard_is_taken_over_its_old_owner_may_have_started_late(
    late_seconds: float,
) -> None:
    pace = own(configure(Pace(), "1/s", now=NOW), SHARD, "old", now=NOW)
    pace, _ = reserve(pace, shard=SHARD, token="old", wanted=1, now=NOW)

    pace = own(pace, SHARD, "new", now=NOW + late_seconds)
    _, result = reserve(pace, shard=SHARD, token="new", wanted=1, now=NOW + late_seconds)

    assert isinstance(result, Grant)
    assert result.turns[0] - (NOW + LATE_SECONDS) >= 0.99


def on_machines(one: str, other: str) -> Pace:
    """Two shards; the first one, on machine `one`, has just started in a turn."""
    pace = configure(Pace(), "1/s", now=NOW)
    pace = own(own(pace, SHARD, f"{one}-1", now=NOW), OTHER_SHARD, f"{other}-2", now=NOW)
    return reserve(pace, shard=SHARD, token=f"{one}-1", wanted=1, now=NOW)[0]


@pytest.mark.parametrize(("other", "first"), [("host", 1.0), ("far", LATE_SECONDS + GAP_SHARE)])
def test_a_shard_that_was_idle_leaves_room_for_a_late_start_on_another_machine(
    other: str, first: float
) -> None:
    pace = on_machines("host", other)

    _, result = reserve(pace, shard=OTHER_SHARD, token=f"{other}-2", wanted=1, now=NOW + 0.1)

    assert isinstance(result, Grant)
    assert result.turns == (NOW + first,)


def test_shards_of_other_machines_count_only_while_they_take_turns() -> None:
    pace = on_machines("host", "far")

    assert pace.is_shared("far-2", NOW + 1.0)
    assert not pace.is_shared("host-1", NOW + 1.0)
    assert not pace.is_shared("far-2", NOW + ACTIVE_SECONDS + 0.1)
    assert not on_machines("host", "host").is_shared("host-2", NOW + 1.0)


def test_the_time_that_nobody_reserved_is_reported_with_the_next_turn() -> None:
    pace, first = granted(at("10/s"))
    _, late = granted(pace, NOW + 0.35)

    assert late.skipped_seconds == pytest.approx(0.25)
    assert first.turns == (NOW,)


def test_a_reset_keeps_what_the_api_asked_for() -> None:
    pace = fails(at("1/s"), HoldKind.THROTTLED, now=NOW, wait_seconds=60.0)
    pace = replace(pace, next_free=NOW + 86_400.0)

    _, grant = granted(pace, NOW + 1.0)

    assert grant.was_reset
    assert grant.turns == (NOW + 60.0,)
