"""What the worker does next: a pure function of its state and what it sees.

Crash-only: a stop and a crash take one path. The shard processes are told to finish what is in
flight, then everything is killed, and when no child is left the worker exits or starts again.

    WAITING --start--> RUNNING --daemon ended, or stop--> ENDING --shards gone, or time is up-->
    KILLING --no child left--> WAITING (start again) or ENDED (exit)
"""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import assert_never

from consumer.run_folder import Phase

BACK_OFF_SECONDS_MIN = 1.0
BACK_OFF_SECONDS_MAX = 60.0

EXIT_STOPPED = 0
EXIT_SUPERSEDED = 1


class Effect(Enum):
    """One effect on processes; repeating it changes nothing."""

    START_DAEMON = auto()
    STOP_SHARDS = auto()
    KILL_ALL = auto()


@dataclass(frozen=True, slots=True)
class Seen:
    """What the worker sees at one moment. Times are monotonic seconds.

    daemon_lives: the daemon that was started last has not ended.
    shards: living shard processes. children: all living descendants.
    initialized: a shard process came up since the daemon was started.
    """

    now: float
    daemon_lives: bool
    shards: int
    children: int
    initialized: bool
    stop_asked: bool = False
    claim_lost: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What the worker remembers between two looks.

    until: WAITING: when to start; ENDING: when to stop waiting for shard processes.
    failures: daemons in a row that ended without a shard process.
    initialized: the present daemon brought up a shard process.
    exit_code: the code to exit with once all children are gone; None: start again.
    """

    phase: Phase = Phase.WAITING
    until: float = 0.0
    failures: int = 0
    initialized: bool = False
    exit_code: int | None = None


def advance(state: State, seen: Seen, *, settle_seconds: float) -> tuple[State, tuple[Effect, ...]]:
    """The next state, and what to do now.

    settle_seconds: how long shard processes may take to finish what is in flight.
    """
    if seen.claim_lost and state.exit_code != EXIT_SUPERSEDED:
        lost = replace(state, phase=Phase.KILLING, exit_code=EXIT_SUPERSEDED)
        return lost, (Effect.KILL_ALL,)
    if seen.stop_asked and state.exit_code is None:
        state = replace(state, exit_code=EXIT_STOPPED)
    match state.phase:
        case Phase.WAITING:
            return _wait(state, seen)
        case Phase.RUNNING:
            return _watch(state, seen, settle_seconds)
        case Phase.ENDING:
            if not seen.shards or seen.now >= state.until:
                return replace(state, phase=Phase.KILLING), (Effect.KILL_ALL,)
            return state, (Effect.STOP_SHARDS,)
        case Phase.KILLING:
            return _finish(state, seen)
        case Phase.ENDED:
            return state, ()
        case _:
            assert_never(state.phase)


def _wait(state: State, seen: Seen) -> tuple[State, tuple[Effect, ...]]:
    if state.exit_code is not None:
        return replace(state, phase=Phase.ENDED), ()
    if seen.now < state.until:
        return state, ()
    return replace(state, phase=Phase.RUNNING, initialized=False), (Effect.START_DAEMON,)


def _watch(state: State, seen: Seen, settle_seconds: float) -> tuple[State, tuple[Effect, ...]]:
    state = replace(state, initialized=state.initialized or seen.initialized)
    if seen.daemon_lives and state.exit_code is None:
        return state, ()
    # However the daemon ended, code 0 included, it does not read the stream any more.
    ending = replace(state, phase=Phase.ENDING, until=seen.now + settle_seconds)
    return ending, (Effect.STOP_SHARDS,)


def _finish(state: State, seen: Seen) -> tuple[State, tuple[Effect, ...]]:
    if seen.children:
        return state, (Effect.KILL_ALL,)
    if state.exit_code is not None:
        return replace(state, phase=Phase.ENDED), ()
    failures = 0 if state.initialized else state.failures + 1
    until = seen.now + back_off_seconds(failures)
    return replace(state, phase=Phase.WAITING, until=until, failures=failures), ()


def back_off_seconds(failures: int) -> float:
    """The pause before the next start, after this many failures in a row."""
    if not failures:
        return 0.0
    return min(BACK_OFF_SECONDS_MAX, BACK_OFF_SECONDS_MIN * 2.0 ** min(failures - 1, 10))
