"""Which number a worker takes, and whose daemon it must end first."""

from dataclasses import replace

from consumer.worker.claiming import Applicant, Busy, Take, choose, left_over_daemon
from consumer.worker.proc import Place
from ledger.claim import Claim, LiveProcess

HERE = Place("host-a", "boot-1 pid:[1]")
ELSEWHERE = Place("host-b", "boot-9 pid:[1]")
NOW = 1_000.0
WORKER = LiveProcess(10, 100)
DAEMON = LiveProcess(11, 110)


def claim(number: int, place: Place, *, age: float = 0.0, pid: int = 10) -> Claim:
    return Claim(
        worker_id="orders",
        number=number,
        token=f"token-{number}",
        host=place.host,
        boot=place.boot,
        worker=LiveProcess(pid, pid * 10),
        daemon=DAEMON,
        heartbeat_at=NOW - age,
    )


def choice(*claims: Claim, workers: int = 1, living: tuple[int, ...] = ()) -> Take | Busy:
    applicant = Applicant("orders", workers, HERE)
    return choose(claims, applicant, now=NOW, lives=lambda process: process.pid in living)


def test_the_lowest_number_that_nobody_holds_is_taken() -> None:
    assert choice() == Take(1, None)
    assert choice(claim(1, ELSEWHERE), workers=3) == Take(2, None)


def test_a_claim_of_a_dead_process_of_this_machine_is_taken_at_once() -> None:
    left = claim(1, HERE, age=0.1)

    assert choice(left) == Take(1, left)


def test_a_claim_of_a_living_process_of_this_machine_is_never_taken() -> None:
    assert isinstance(choice(claim(1, HERE, age=900.0), living=(10,)), Busy)


def test_a_claim_of_another_machine_is_taken_once_its_heart_stood_still() -> None:
    silent = claim(1, ELSEWHERE, age=31.0)

    assert isinstance(choice(claim(1, ELSEWHERE, age=29.0)), Busy)
    assert choice(silent) == Take(1, silent)


def test_another_container_of_this_machine_is_another_place() -> None:
    neighbour = claim(1, Place(HERE.host, "boot-1 pid:[2]"), age=1.0)

    assert isinstance(choice(neighbour), Busy)


def test_a_claim_left_behind_comes_before_a_fresh_number_and_ours_before_others() -> None:
    silent = claim(1, ELSEWHERE, age=60.0)
    ours = claim(3, HERE, pid=77)

    assert choice(silent, workers=4) == Take(1, silent)
    assert choice(silent, ours, workers=4) == Take(3, ours)


def test_claims_beyond_the_number_of_workers_are_left_alone() -> None:
    assert choice(claim(7, HERE), workers=2) == Take(1, None)


def test_who_holds_the_numbers_is_said() -> None:
    busy = choice(claim(1, ELSEWHERE, age=3.0))

    assert isinstance(busy, Busy)
    assert busy.who == "number 1 is held by process 10 on host-b (heartbeat 3 s ago)"


def test_a_daemon_left_on_this_machine_is_found_while_it_lives() -> None:
    left = claim(1, HERE)

    assert left_over_daemon(left, HERE, lambda process: process == DAEMON) == DAEMON
    assert left_over_daemon(left, HERE, lambda _: False) is None
    assert left_over_daemon(left, ELSEWHERE, lambda _: True) is None
    assert left_over_daemon(replace(left, daemon=None), HERE, lambda _: True) is None
    assert left_over_daemon(None, HERE, lambda _: True) is None
