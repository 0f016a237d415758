"""What is evidence of how fast orders are sent, and what is not."""

from ledger.evidence import Evidence, evidence
from ledger.pace.history import Sample


def seen(*samples: Sample) -> Evidence:
    return evidence(samples[:-1], samples[-1])


def steady(count: int, *, sent: int = 10, waiting: int = 5_000) -> list[Sample]:
    """A sample every ten seconds, at a target of 1/s."""
    return [Sample(10.0 * i, sent * i, waiting, 1.0) for i in range(count)]


def test_a_steady_pace_is_all_evidence() -> None:
    assert seen(*steady(31, sent=5)) == Evidence(150, 300.0)


def test_small_uploads_now_and_then_are_no_evidence_of_the_pace() -> None:
    assert seen(*steady(31, sent=3, waiting=4)) == Evidence()


def test_another_rate_says_nothing_of_this_one() -> None:
    raised = Sample(200.0, 260, 5_000, 4.0)

    assert seen(*steady(20), raised, Sample(210.0, 300, 5_000, 4.0)) == Evidence(40, 10.0)


def test_a_history_of_an_earlier_release_knows_no_target_and_is_passed_over() -> None:
    old = [Sample(s.at, s.sent, s.waiting) for s in steady(30)]

    assert seen(*old, Sample(300.0, 300, 5_000, 1.0)) == Evidence()


def test_a_hold_of_a_few_seconds_is_part_of_the_pace_and_an_outage_is_not() -> None:
    samples = steady(11)
    blip = Sample(50.0, 47, 5_000, 1.0, halted_since=47.0)
    down = Sample(60.0, 50, 5_000, 1.0, halted_since=48.0)

    assert seen(*samples[:5], blip, *samples[6:]) == Evidence(100, 100.0)
    assert seen(*samples[:5], blip, down, *samples[7:]) == Evidence(70, 70.0)


def test_time_without_samples_is_left_out() -> None:
    samples = steady(21)

    assert seen(*samples[:6], *samples[12:]) == Evidence(130, 130.0)


def test_a_start_is_no_evidence_and_a_stall_up_to_now_is_reported() -> None:
    waits = [Sample(at, 0, 5_000, 1.0) for at in (0.0, 10.0, 20.0)]
    moves = [Sample(30.0 + 10 * i, 4 + 10 * i, 5_000, 1.0) for i in range(6)]
    stalls = [Sample(at, 54, 5_000, 1.0) for at in (90.0, 100.0, 110.0, 120.0, 130.0, 140.0)]

    assert seen(*waits, *moves) == Evidence(50, 50.0)
    assert seen(*waits) == Evidence(0, 0.0, stalled_seconds=20.0)
    assert seen(*waits, *moves, *stalls) == Evidence(50, 50.0, stalled_seconds=60.0)
