import pytest

from producer_lambda.shard_pacing import ShardPacing
from producer_lambda.stream import HashRange

HALF = 1 << 127
SHARDS = (HashRange(0, HALF - 1), HashRange(HALF, 2 * HALF - 1))
LOW, HIGH = "7", str(HALF + 7)


def test_a_shard_is_written_to_at_its_pace_and_no_faster() -> None:
    pacing, now, sent = ShardPacing(SHARDS, bytes_per_second=1_000_000), 100.0, 0

    while now < 110.0:
        now += pacing.wait_seconds(LOW, now=now)
        pacing.spend(LOW, 200_000, now=now)
        sent += 200_000

    assert sent / 10 == pytest.approx(1_000_000, rel=0.08)


def test_a_slow_call_does_not_lower_the_pace() -> None:
    pacing, now, sent = ShardPacing(SHARDS, bytes_per_second=1_000_000), 100.0, 0

    for call in range(50):
        now += pacing.wait_seconds(LOW, now=now)
        pacing.spend(LOW, 200_000, now=now)
        sent += 200_000
        now += 0.5 if call % 10 == 0 else 0.02

    assert sent / (now - 100.0) == pytest.approx(1_000_000, rel=0.05)


def test_an_idle_shard_is_not_paid_back_in_a_burst() -> None:
    pacing = ShardPacing(SHARDS, bytes_per_second=1_000_000)

    for _ in range(5):
        pacing.spend(LOW, 200_000, now=1_000.0)

    assert pacing.wait_seconds(LOW, now=1_000.0) == pytest.approx(0.5)


def test_shards_do_not_wait_for_each_other() -> None:
    pacing = ShardPacing(SHARDS, bytes_per_second=1_000)

    pacing.spend(LOW, 10_000, now=0.0)

    assert pacing.wait_seconds(HIGH, now=0.0) == 0
    assert pacing.wait_seconds(LOW, now=0.0) > 9


def test_many_small_records_are_limited_by_their_number() -> None:
    pacing = ShardPacing(SHARDS, bytes_per_second=1_000_000)

    for _ in range(2_000):
        pacing.spend(LOW, 10, now=1_000.0)

    assert pacing.wait_seconds(LOW, now=1_000.0) == pytest.approx(1.5)


def test_after_a_split_both_halves_have_their_own_pace() -> None:
    pacing = ShardPacing([HashRange(0, 2 * HALF - 1)], bytes_per_second=1_000)
    pacing.spend(LOW, 1_000, now=0.0)

    pacing.follow(SHARDS)
    pacing.spend(LOW, 10_000, now=1.0)

    assert pacing.wait_seconds(HIGH, now=1.0) == 0
