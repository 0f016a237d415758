"""The worker's plan: start, watch, stop and start anew, on a clock of the test's own."""

from dataclasses import dataclass, field, replace

import pytest

from consumer.run_folder import Phase
from consumer.worker.plan import (
    EXIT_STOPPED,
    EXIT_SUPERSEDED,
    Effect,
    Seen,
    State,
    advance,
    back_off_seconds,
)

SETTLE_SECONDS = 40.0
IDLE = Seen(now=0.0, daemon_lives=False, shards=0, children=0, initialized=False)


@dataclass
class World:
    """Processes that do as they are told, and a clock."""

    seen: Seen = IDLE
    state: State = field(default_factory=State)
    starts: int = 0

    def look(self, **changes: object) -> tuple[Effect, ...]:
        self.seen = replace(self.seen, **changes)  # type: ignore[arg-type] # by name
        self.state, effects = advance(self.state, self.seen, settle_seconds=SETTLE_SECONDS)
        for action in effects:
            if action is Effect.START_DAEMON:
                self.starts += 1
                self.seen = replace(self.seen, daemon_lives=True, children=1)
            if action is Effect.KILL_ALL:
                self.seen = replace(self.seen, daemon_lives=False, shards=0, children=0)
        return effects

    def running(self) -> "World":
        self.look()
        self.look(shards=1, children=2, initialized=True)
        return self


def test_it_starts_a_daemon_at_once() -> None:
    world = World()

    assert world.look() == (Effect.START_DAEMON,)
    assert world.state.phase is Phase.RUNNING


def test_a_daemon_that_runs_is_left_alone() -> None:
    world = World().running()

    assert world.look(now=10_000.0) == ()


def test_a_bootstrapping_daemon_is_left_alone_however_long_it_takes() -> None:
    world = World()
    world.look()

    assert world.look(now=179.0) == ()
    assert world.look(now=100_000.0) == ()


def test_when_the_daemon_ended_its_shard_processes_settle_before_the_next_start() -> None:
    world = World().running()

    assert world.look(daemon_lives=False, children=1) == (Effect.STOP_SHARDS,)
    assert world.look(now=5.0) == (Effect.STOP_SHARDS,)
    assert world.starts == 1

    assert world.look(shards=0, children=0) == (Effect.KILL_ALL,)
    assert world.look() == ()
    assert world.look() == (Effect.START_DAEMON,)


def test_a_shard_process_that_does_not_end_is_killed_after_its_time() -> None:
    world = World().running()
    world.look(now=100.0, daemon_lives=False, children=1)

    assert world.look(now=100.0 + SETTLE_SECONDS - 1) == (Effect.STOP_SHARDS,)
    assert world.look(now=100.0 + SETTLE_SECONDS) == (Effect.KILL_ALL,)


def test_no_daemon_is_started_while_a_child_lives() -> None:
    world = World().running()
    world.look(daemon_lives=False, shards=0)
    world.look()

    assert world.look(children=1) == (Effect.KILL_ALL,)
    world.seen = replace(world.seen, children=1)
    assert world.look() == (Effect.KILL_ALL,)
    assert world.starts == 1


def test_daemons_that_come_to_nothing_are_started_ever_more_slowly() -> None:
    world = World()
    pauses = []
    for _ in range(9):
        world.look(now=world.state.until)
        world.look(daemon_lives=False, children=0)
        world.look()
        world.look()
        pauses.append(world.state.until - world.seen.now)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_daemon_that_had_a_shard_is_followed_at_once_and_clears_the_record() -> None:
    world = World()
    world.look()
    world.state = replace(world.state, failures=5)

    world.look(shards=1, children=2, initialized=True)
    world.look(daemon_lives=False, shards=0, children=0, initialized=False)
    world.look()
    world.look()

    assert world.state.failures == 0
    assert world.look() == (Effect.START_DAEMON,)


def test_a_stop_lets_shard_processes_settle_then_kills_the_daemon_then_leaves() -> None:
    world = World().running()

    assert world.look(stop_asked=True) == (Effect.STOP_SHARDS,)
    assert world.look(shards=0, children=1) == (Effect.KILL_ALL,)
    assert world.look() == ()

    assert world.state.phase is Phase.ENDED
    assert world.state.exit_code == EXIT_STOPPED
    assert world.starts == 1


def test_a_stop_while_it_bootstraps_waits_for_nobody() -> None:
    world = World()
    world.look()

    world.look(stop_asked=True)

    assert world.look() == (Effect.KILL_ALL,)


def test_a_stop_during_a_back_off_leaves_at_once() -> None:
    world = World(state=State(until=60.0, failures=7))

    world.look(stop_asked=True)

    assert world.state.phase is Phase.ENDED
    assert world.starts == 0


def test_a_stop_in_the_middle_of_a_restart_leaves_when_all_is_gone() -> None:
    world = World().running()
    world.look(daemon_lives=False, children=1)

    world.look(stop_asked=True, shards=0, children=0)
    world.look()

    assert world.state.phase is Phase.ENDED
    assert world.state.exit_code == EXIT_STOPPED


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.ENDING, Phase.WAITING])
def test_a_lost_claim_kills_everything_without_waiting(phase: Phase) -> None:
    world = World(
        seen=replace(IDLE, daemon_lives=True, shards=1, children=2),
        state=State(phase=phase, until=1_000.0),
    )

    assert world.look(claim_lost=True) == (Effect.KILL_ALL,)
    world.look()

    assert world.state.phase is Phase.ENDED
    assert world.state.exit_code == EXIT_SUPERSEDED


def test_back_off_has_bounds() -> None:
    assert back_off_seconds(0) == 0
    assert back_off_seconds(1) == 1
    assert back_off_seconds(10_000) == 60
