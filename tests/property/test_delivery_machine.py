"""Does the delivery keep its promises whatever happens, in whatever order (promises 1-4 and 6)?

Processes crash, are taken over and go on, stop; the API and the ledger fail in every way; people
change the pace, pause, cancel, set aside; clocks are set; the stream loses and repeats records. The
promises are looked at after every step, and at the end all must have been sent that can be.
"""

from collections import defaultdict

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.pace import steps
from ledger.pace.pace import Override, Pause
from ledger.uploads.dead_letter import UNREADABLE
from ledger.uploads.lane import LaneKey, LaneNumber
from ledger.uploads.upload import Account, UploadState
from orders.envelope import EndMarker, OrderEnvelope
from sandbox.judge.observations import Observed, Request, numbers_of_account
from sandbox.simulation.faulty_ledger import LedgerFault
from tests import promises
from tests.support.capricious_api import Mood
from tests.support.examples import examples
from tests.support.fleet import Fate, Fleet, FleetShard, Plan, PlannedOrder
from tests.support.simulated import START

RATES = ("1/s", "5/s", "30/s", "400/s", "20/m", "none")
SHARDS_MAX = 3
ORDERS_MAX = 14
"""In one lane."""
CONFLICT = 409
IN_TIME_SHARE = 0.85
"""A turn that is reserved for now starts when the ledger has answered, which takes 4 ms here: so
much of 30 turns a second is lost between two processes."""

fates = st.sampled_from((Fate.KEPT,) * 7 + (Fate.TWICE, Fate.LATE, Fate.LOST))
orders = st.builds(PlannedOrder, st.integers(1, 2), st.integers(0, 5), fates)
plans = st.lists(
    st.lists(st.lists(orders, max_size=ORDERS_MAX), min_size=1, max_size=2), min_size=1, max_size=3
)
shards = st.integers(0, SHARDS_MAX - 1)
rates = st.sampled_from(RATES)
moods = st.sampled_from(Mood)
short = st.floats(0.0, 3.0)


class Deliveries(RuleBasedStateMachine):
    """Anything that may happen, in any order."""

    @initialize(
        plan=plans,
        number=st.integers(1, SHARDS_MAX),
        seed=st.integers(0, 99),
        rate=rates,
        is_late=st.booleans(),
        do_clocks_differ=st.booleans(),
        batch_orders=st.sampled_from((1, 1, 2, 3, 7)),
    )
    def set_up(  # noqa: PLR0917
        self,
        plan: Plan,
        number: int,
        seed: int,
        rate: str,
        is_late: bool,
        do_clocks_differ: bool,
        batch_orders: int,
    ) -> None:
        self.fleet = Fleet(
            plan, shards=number, seed=seed, is_late=is_late, batch_orders=batch_orders
        )
        self.is_spacing_global = not (is_late or do_clocks_differ)
        self.do_clocks_differ = do_clocks_differ
        self.judged = 0
        self.fleet.change_pace(lambda pace: steps.configure(pace, rate, now=START))
        for shard in self.fleet.shards:
            self.fleet.start(shard)

    def shard(self, number: int) -> FleetShard:
        return self.fleet.shards[number % len(self.fleet.shards)]

    @property
    def now(self) -> float:
        return self.fleet.timeline.now()

    # --- what happens ---------------------------------------------------------------------------

    @rule(seconds=short | st.floats(0.0, 0.2) | st.floats(3.0, 20.0))
    def let_time_pass(self, seconds: float) -> None:
        self.fleet.run(seconds)

    @rule(next_moods=st.lists(moods, min_size=1, max_size=5), seconds=short)
    def the_api_has_moods(self, next_moods: list[Mood], seconds: float) -> None:
        self.fleet.api.moods.extend(next_moods)
        self.fleet.run(seconds)

    @rule(mood=moods, seconds=st.floats(1.0, 15.0))
    def the_api_is_in_one_mood(self, mood: Mood, seconds: float) -> None:
        self.fleet.api.mood = mood
        self.fleet.run(seconds)
        self.fleet.api.mood = Mood.TAKE

    @rule(says_conflict=st.booleans())
    def the_api_says_conflict(self, says_conflict: bool) -> None:
        self.fleet.api.says_conflict = says_conflict

    @rule(answers_for_each=st.booleans())
    def the_api_answers_for_each_order_of_a_batch(self, answers_for_each: bool) -> None:
        self.fleet.api.answers_for_each = answers_for_each

    @rule(number=shards, after_seconds=st.floats(0.0, 6.0), is_behind=st.booleans())
    def a_process_crashes(self, number: int, after_seconds: float, is_behind: bool) -> None:
        self.fleet.crash(self.shard(number), after_seconds=after_seconds, is_behind=is_behind)

    @rule(number=shards, seconds=short)
    def a_process_is_taken_over_and_goes_on(self, number: int, seconds: float) -> None:
        self.fleet.take_over(self.shard(number))
        self.fleet.run(seconds)

    @rule(number=shards)
    def a_process_stops(self, number: int) -> None:
        self.fleet.stop(self.shard(number))

    @rule(seconds=st.floats(-2.0, 2.0))
    def the_clock_is_set(self, seconds: float) -> None:
        self.fleet.ahead_seconds = seconds if self.do_clocks_differ else 0.0

    @rule(faults=st.lists(st.sampled_from(LedgerFault), min_size=1, max_size=6), seconds=short)
    def calls_of_the_ledger_fail(self, faults: list[LedgerFault], seconds: float) -> None:
        self.fleet.faults.extend(faults)
        self.fleet.run(seconds)

    @rule(seconds=short)
    def the_ledger_is_out_of_reach(self, seconds: float) -> None:
        self.fleet.is_ledger_down = True
        self.fleet.run(seconds)
        self.fleet.is_ledger_down = False

    @rule(number=st.integers(0, 2))
    def an_upload_is_cancelled(self, number: int) -> None:
        accounts = self.fleet.accounts
        upload = accounts[number % len(accounts)].upload.id
        self.fleet.ledger.cancel(upload, reason="wrong file", now=self.now)

    @rule(rate=rates)
    def the_rate_is_configured(self, rate: str) -> None:
        self.fleet.change_pace(lambda pace: steps.configure(pace, rate, now=self.now))

    @rule(rate=st.none() | rates)
    def the_rate_is_overridden(self, rate: str | None) -> None:
        value = Override(rate, "ann", "busy", None) if rate else None
        self.fleet.change_pace(lambda pace: steps.override(pace, value, now=self.now))

    @rule(seconds=st.none() | short)
    def sending_is_paused(self, seconds: float | None) -> None:
        until = self.now + seconds if seconds else None
        self.fleet.change_pace(lambda p: steps.pause(p, Pause("ann", "lunch", self.now, until)))

    @rule(seconds=short)
    def sending_is_resumed(self, seconds: float) -> None:
        self.fleet.change_pace(steps.resume)
        self.fleet.run(seconds)

    @rule(number=st.integers(0, 50))
    def an_order_is_set_aside(self, number: int) -> None:
        names = sorted(self.fleet.api.orders)
        if names:
            name = names[number % len(names)]
            self.fleet.api.refused.add(name)
            self.fleet.change_pace(lambda pace: steps.set_aside(pace, name, "the shop said so"))

    @rule(seconds=short)
    def the_end_markers_are_put_again(self, seconds: float) -> None:
        self.fleet.put_ends_again()
        self.fleet.run(seconds)

    # --- what must hold -------------------------------------------------------------------------

    @invariant()
    def the_numbers_add_up(self) -> None:
        for account in self.fleet.accounts:
            assert numbers_of_account(account).adds_up, account

    @invariant()
    def no_request_breaks_a_promise(self) -> None:
        assert not self.fleet.api.breaches, self.fleet.api.breaches

    @invariant()
    def starts_keep_the_pace(self) -> None:
        """Those of one process; those of all, too, where clocks agree and threads are in time."""
        new = self.fleet.api.requests[max(self.judged - 50, 0) :]
        self.judged = len(self.fleet.api.requests)
        senders: dict[str, list[Request]] = defaultdict(list)
        for r in new:
            request = Request(r.at, "PUT", r.order_id, 200, r.name, "")
            senders[r.sender].append(request)
            senders[""].append(request)
        of_all = senders.pop("", [])
        for requests in senders.values():
            promises.pace_is_kept(Observed((), requests, ()), rates=self.fleet.rates)
        if self.is_spacing_global:
            seen = Observed((), of_all, ())
            promises.pace_is_kept(seen, rates=self.fleet.rates, gap_share=IN_TIME_SHARE)

    @invariant()
    def the_checkpoint_passes_only_what_is_settled(self) -> None:
        for shard in self.fleet.shards:
            checkpoint = shard.process.checkpoint if shard.process else shard.checkpoint
            upto = int(checkpoint.sequence) if checkpoint else -1
            for index in range(shard.verified + 1, upto + 1):
                item = shard.stream.at(index).item
                if isinstance(item, OrderEnvelope | EndMarker):
                    lane = self.fleet.lane(LaneKey(item.upload, LaneNumber(item.lane)))
                    line = item.line if isinstance(item, OrderEnvelope) else None
                    assert lane.ended if line is None else lane.is_settled(line), (index, lane)
            shard.verified = max(shard.verified, upto)

    # --- how it ends ----------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "fleet"):
            return
        self.heal()
        for _ in range(ORDERS_MAX // 4):  # a spent refusal budget blocks sending again
            if self.fleet.timeline.run(self.is_over, until=self.now + 60.0):
                break
            self.fleet.change_pace(steps.resume)
        is_over = self.is_over()
        assert is_over, (self.now, self.fleet.ledger.read_pace(), self.fleet.accounts)
        self.no_request_breaks_a_promise()
        self.starts_keep_the_pace()
        self.the_checkpoint_passes_only_what_is_settled()
        for account in self.fleet.accounts:
            self.check_account(account)
        junk = list(self.fleet.ledger.dead_letters(UNREADABLE, limit=100))
        assert len(junk) == self.fleet.junk

    def heal(self) -> None:
        fleet = self.fleet
        fleet.api.moods.clear()
        fleet.faults.clear()
        for shard in fleet.shards:
            for old in shard.old:
                old.crash()
        fleet.change_pace(lambda pace: steps.override(pace, None, now=self.now))
        fleet.change_pace(lambda pace: steps.configure(pace, "5/s", now=self.now))
        fleet.change_pace(steps.resume)
        fleet.put_ends_again()

    def is_over(self) -> bool:
        """Is every upload closed, and did every process come to the end of its stream?"""
        if any(account.upload.listed_open for account in self.fleet.accounts):
            return False
        return all(shard.is_through for shard in self.fleet.shards)

    def check_account(self, account: Account) -> None:
        upload, tally = account.upload, account.tally
        known = {o.line for o in self.fleet.api.orders.values() if o.upload == upload.id}
        taken = {line for line in known if f"{upload.id}/{line}" in self.fleet.api.taken}
        dead = list(self.fleet.ledger.dead_letters(upload.id, limit=1_000))
        known_to_api = [letter for letter in dead if letter.status == CONFLICT]
        assert not known_to_api or self.fleet.slowed_while_taken_over
        letters = {letter.line for letter in dead}
        lost = self.fleet.lost[upload.id]
        assert tally.settled == self.fleet.lines[upload.id] == len(known) + lost
        assert tally.accepted <= len(taken)
        assert tally.refused <= len(letters)
        assert len(known - taken) <= tally.refused + tally.cancelled
        if upload.state is UploadState.CANCELLED:
            assert tally.missing <= lost
        else:
            assert tally.missing == lost
            assert not tally.cancelled
            assert tally.accepted >= len(taken - letters)
            assert known - taken <= letters


Deliveries.TestCase.settings = settings(
    max_examples=examples(250), stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow]
)
TestDeliveries = Deliveries.TestCase
