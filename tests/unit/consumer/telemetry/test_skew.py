"""The clock is called wrong only where the answers prove it."""

from email.utils import formatdate

from botocore.hooks import HierarchicalEmitter

from consumer.sending.date_header import bounds_of
from consumer.telemetry.skew import SkewWatch, proven_skew


def seen_by_a_clock_off_by(skew: float, latency: float = 0.02) -> float:
    found = []
    for true_time in (1_000_000.3 + i * 1.013 for i in range(60)):
        date = float(int(true_time + latency / 2))
        found.append(bounds_of(true_time + skew, true_time + latency + skew, date))
    return proven_skew(found)


def test_a_right_clock_is_not_called_wrong() -> None:
    assert seen_by_a_clock_off_by(0.0) == 0.0


def test_a_clock_that_is_off_is_found_out_within_a_fraction_of_a_second() -> None:
    assert 1.9 < seen_by_a_clock_off_by(2.0) <= 2.0
    assert -3.0 <= seen_by_a_clock_off_by(-3.0) < -2.9


def test_slow_answers_prove_less_and_never_too_much() -> None:
    assert 0.0 <= seen_by_a_clock_off_by(2.0, latency=3.0) <= 2.0


def test_without_answers_nothing_is_proven() -> None:
    assert proven_skew([]) == 0.0


def test_after_the_clock_was_set_right_the_old_answers_count_no_more() -> None:
    wrong = [bounds_of(t + 100, t + 100.02, float(int(t))) for t in range(1000, 1030)]
    right = [bounds_of(t, t + 0.02, float(int(t))) for t in range(1030, 1032)]

    assert proven_skew([*wrong, *right]) == 0.0


def test_it_listens_to_a_client_of_boto3() -> None:
    now = 5_000.0
    watch = SkewWatch(lambda: now)
    events = HierarchicalEmitter()
    watch.listen(events, "dynamodb")

    headers = {"date": formatdate(4_990.0, usegmt=True)}
    events.emit("before-send.dynamodb.GetItem", request=None)
    events.emit(
        "after-call.dynamodb.GetItem", parsed={"ResponseMetadata": {"HTTPHeaders": headers}}
    )
    events.emit("after-call.dynamodb.GetItem", parsed={})

    assert watch.skew_seconds == 9.0
