"""Is the pace kept by any number of processes, whatever happens to them and to the pace?

A fleet of processes reserves turns from one pace; they crash, are superseded, pause, change the
rate, run into holds. Each starts its turns at their times unless the pace has made them void, and
the starts are looked at as the API would see them.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import assert_never

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.pace import steps
from ledger.pace.hold import BACK_OFF_SECONDS, HOLD_SECONDS_MAX, Failure, HoldKind
from ledger.pace.pace import BATCH_SECONDS, NOTICE_SECONDS, Blocker, Override, Pace, Pause
from ledger.pace.reservation import Closed, Grant, Reservation, Superseded, Unlimited
from ledger.pace.steps import THROTTLED_ROW
from ledger.pace.turns import own, reserve, why_closed
from tests.support.examples import examples

START = 1_000_000.0
SHARDS = ("shardId-000000000000", "shardId-000000000001", "shardId-000000000002")
RATES = ("1/s", "3/s", "50/s", "400/s", "20/m", "30/h")
HAIR = 1e-6

shards = st.sampled_from(SHARDS)
rates = st.sampled_from(RATES)
kinds = st.sampled_from(HoldKind)


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    start: float
    shard: str
    epoch: int
    generation: int
    interval: float
    is_probe: bool


@dataclass
class World:
    """The pace, the clock, the turns that processes hold, and what the API has seen."""

    pace: Pace = field(default_factory=Pace)
    now: float = START
    granted: list[Turn] = field(default_factory=list)
    held: list[Turn] = field(default_factory=list)
    started: list[Turn] = field(default_factory=list)
    in_flight: list[Turn] = field(default_factory=list)

    def reserve(self, shard: str, token: str, wanted: int) -> Reservation:
        self.pace, result = reserve(
            self.pace, shard=shard, token=token, wanted=wanted, now=self.now
        )
        if isinstance(result, Grant):
            turns = [
                Turn(t, shard, result.epoch, result.generation, result.interval, result.is_probe)
                for t in result.turns
            ]
            self.granted += turns
            self.held += turns
        return result

    def advance(self, seconds: float) -> None:
        """Let time pass; every turn that is due and not void starts at its time."""
        self.now += seconds
        due = sorted(turn for turn in self.held if turn.start <= self.now)
        self.held = [turn for turn in self.held if turn.start > self.now]
        for turn in due:
            if self.is_void(turn) or why_closed(self.pace, turn.shard, turn.start):
                continue
            self.started.append(turn)
            self.in_flight.append(turn)

    def is_void(self, turn: Turn) -> bool:
        return (turn.epoch, turn.generation) != (self.pace.epoch, self.pace.generation)


class Fleet(RuleBasedStateMachine):
    """Anything that may happen, in any order."""

    @initialize(rate=rates)
    def set_up(self, rate: str) -> None:
        self.world = World()
        self.tokens: dict[str, int] = {}
        self.world.pace = steps.configure(Pace(), rate, now=START)
        self.barrier: tuple[tuple[int, int], float] | None = None
        for shard in SHARDS:
            self.start_process(shard)

    def step(self, pace: Pace) -> None:
        self.world.pace = pace

    @rule(shard=shards)
    def start_process(self, shard: str) -> None:
        """A process takes the shard; the one before it goes on until it notices."""
        noticed_at = self.world.now + NOTICE_SECONDS
        held = self.world.held
        self.world.held = [t for t in held if t.shard != shard or t.start <= noticed_at]
        self.barrier = None
        self.tokens[shard] = self.tokens.get(shard, 0) + 1
        self.step(own(self.world.pace, shard, str(self.tokens[shard]), now=self.world.now))

    @rule(shard=shards, wanted=st.integers(1, 100))
    def reserve(self, shard: str, wanted: int) -> None:
        before = self.world.pace
        if any(turn.shard == shard and not self.world.is_void(turn) for turn in self.world.held):
            return  # a process uses up what it has before it reserves more
        match self.world.reserve(shard, str(self.tokens[shard]), wanted):
            case Grant() as grant:
                self.check_grant(grant, before, wanted)
            case Closed():
                assert before.pause_at(self.world.now) or before.blockers
            case Superseded() | Unlimited() as other:
                raise AssertionError(other)
            case other:
                assert_never(other)

    @rule(wanted=st.integers(1, 100), seconds=st.floats(0, 2))
    def send(self, wanted: int, seconds: float) -> None:
        """What a fleet does nearly all the time."""
        for shard in SHARDS:
            self.reserve(shard, wanted)
        self.world.advance(seconds)

    def check_grant(self, grant: Grant, before: Pace, wanted: int) -> None:
        assert not before.pause_at(self.world.now)
        assert min(grant.turns) >= self.world.now
        assert len(grant.turns) <= max(1, min(wanted, BATCH_SECONDS / grant.interval))
        assert grant.is_probe == (before.hold is not None)
        if grant.is_probe:
            hold = self.world.pace.hold
            assert hold is not None
            assert len(grant.turns) == 1
            assert grant.turns[0] >= hold.asked_until or grant.was_reset
            same = (grant.generation, grant.epoch)  # a change of the pace gives probes back
            if self.barrier and self.barrier[0] == same and not grant.was_reset:
                assert grant.turns[0] >= self.barrier[1]
            self.barrier = (same, hold.until)
            assert hold.until - grant.turns[0] >= BACK_OFF_SECONDS[hold.kind][0]

    @rule(shard=shards, wanted=st.integers(1, 9))
    def reserve_after_being_superseded(self, shard: str, wanted: int) -> None:
        before = self.world.pace

        result = self.world.reserve(shard, str(self.tokens[shard] - 1), wanted)

        assert result == Superseded()
        assert self.world.pace == before

    @rule(seconds=st.floats(0, 5) | st.floats(0, 0.5))
    def advance(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(rate=rates)
    def configure(self, rate: str) -> None:
        self.step(steps.configure(self.world.pace, rate, now=self.world.now))

    @rule(rate=st.none() | rates, seconds=st.none() | st.floats(0, 20))
    def override(self, rate: str | None, seconds: float | None) -> None:
        until = None if seconds is None else self.world.now + seconds
        value = Override(rate, "ann", "busy", until) if rate else None
        self.step(steps.override(self.world.pace, value, now=self.world.now))

    @rule(seconds=st.floats(0, 3))
    def pause(self, seconds: float) -> None:
        now = self.world.now
        self.step(steps.pause(self.world.pace, Pause("ann", "lunch", now, now + seconds)))

    @rule(seconds=st.floats(0, 3))
    def block(self, seconds: float) -> None:
        self.step(
            steps.block(self.world.pace, "x", Blocker("a person", "must act", self.world.now))
        )
        self.world.advance(seconds)
        self.step(steps.resume(self.world.pace))

    @rule()
    def resume(self) -> None:
        self.step(steps.resume(self.world.pace))

    @rule(kind=st.none() | kinds, wait_seconds=st.sampled_from((0.0, 0.0, 0.5, 9.0, 7_000.0)))
    def answer(self, kind: HoldKind | None, wait_seconds: float) -> None:
        """The oldest attempt in flight comes to something."""
        if not self.world.in_flight:
            return
        turn, before = self.world.in_flight.pop(0), self.world.pace
        if kind is None:
            after = steps.answered(before, turn.generation, now=self.world.now)
        else:
            failure = Failure(kind, turn.generation, "", wait_seconds, turn.start)
            after = steps.failed(before, failure, now=self.world.now)
            if turn.generation == before.generation and self.must_hold(before, failure):
                assert after.hold is not None
                assert after.hold.until >= self.world.now + min(wait_seconds, HOLD_SECONDS_MAX)
        if turn.generation != before.generation:
            assert after == before
        self.step(after)

    @staticmethod
    def must_hold(before: Pace, failure: Failure) -> bool:
        """Does sending hold after this failure? One or two 429s without a time do not."""
        is_isolated = failure.kind is HoldKind.THROTTLED and not failure.wait_seconds
        return not is_isolated or before.hold is not None or before.throttled + 1 >= THROTTLED_ROW

    @invariant()
    def no_two_starts_are_closer_than_the_interval(self) -> None:
        world = self.world
        for one, other in pairwise(world.started):
            # A turn in between that a change made void was granted at the pace of its moment.
            between = [t.interval for t in world.granted if one.start <= t.start <= other.start]
            assert other.start - one.start >= min(between) - HAIR, (one, other)
        del world.started[:-1]
        if world.started:
            world.granted = [t for t in world.granted if t.start >= world.started[0].start]


Fleet.TestCase.settings = settings(
    max_examples=examples(250), stateful_step_count=50, suppress_health_check=[HealthCheck.too_slow]
)
TestFleet = Fleet.TestCase
