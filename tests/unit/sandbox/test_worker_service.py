from sandbox.worker_service import AT_ONCE, MOST_SECONDS, RestartPolicy


def test_a_worker_that_ended_is_started_at_once() -> None:
    assert RestartPolicy().starts_at(started_at=0.0, ended_at=100.0) == 100.0


def test_a_worker_that_is_killed_a_few_times_in_a_row_is_started_at_once() -> None:
    policy = RestartPolicy()

    pauses = [policy.starts_at(float(t), t + 1.0) - (t + 1.0) for t in range(AT_ONCE)]

    assert pauses == [0.0] * AT_ONCE


def test_a_worker_that_dies_quickly_again_and_again_is_started_ever_later() -> None:
    policy = RestartPolicy()

    pauses = [policy.starts_at(0.0, 0.5) - 0.5 for _ in range(AT_ONCE + 10)][AT_ONCE:]

    assert pauses[:3] == [1.0, 2.0, 4.0]
    assert pauses[-1] == MOST_SECONDS


def test_a_worker_that_ran_for_a_while_starts_a_new_count() -> None:
    policy = RestartPolicy()
    for _ in range(AT_ONCE + 3):
        policy.starts_at(0.0, 0.5)

    policy.starts_at(0.0, 60.0)

    assert policy.starts_at(100.0, 101.0) == 101.0
