"""What the pace says about orders that an owner may have begun."""

from dataclasses import replace

from ledger.pace import steps
from ledger.pace.doubt import declared, ended
from ledger.pace.hold import Failure, HoldKind
from ledger.pace.pace import Override, Pace
from ledger.pace.reservation import Grant
from ledger.pace.turns import disown, own, reserve

NOW = 1_000.0
SHARD = "shardId-000000000000"
TOKEN = "token"
OWNED = own(steps.configure(Pace(), "1/s", now=NOW), SHARD, TOKEN, now=NOW)


def take_turns(pace: Pace, *, begun: int, now: float = NOW) -> Pace:
    after, reservation = reserve(pace, shard=SHARD, token=TOKEN, wanted=1, now=now)
    return declared(after, SHARD, begun, reservation, now=now)


def test_nobody_can_have_begun_what_nobody_owned() -> None:
    assert OWNED.in_doubt == {SHARD: 0}


def test_the_next_owner_reads_what_the_last_one_said_with_its_last_turn() -> None:
    pace = take_turns(take_turns(OWNED, begun=0), begun=4, now=NOW + 1.0)

    assert own(pace, SHARD, "next", now=NOW + 2.0).in_doubt == {SHARD: 5}


def test_a_stopped_owner_says_what_is_left_and_an_old_one_says_nothing() -> None:
    pace = take_turns(OWNED, begun=3)

    assert ended(pace, SHARD, TOKEN, 1).in_doubt == {SHARD: 1}
    assert ended(pace, SHARD, "an older one", 0) is pace


def test_a_shard_that_was_given_up_leaves_no_doubt() -> None:
    pace = disown(take_turns(OWNED, begun=3), SHARD, TOKEN)

    assert not pace.in_doubt
    assert own(pace, SHARD, "next", now=NOW).in_doubt == {SHARD: 0}


def test_where_attempts_need_no_turns_nothing_is_said() -> None:
    pace = take_turns(OWNED, begun=3)

    unlimited = steps.configure(pace, "none", now=NOW)
    limited = steps.configure(unlimited, "2/s", now=NOW)
    failure = Failure(HoldKind.UNAVAILABLE, 0, "503", wait_seconds=0.0, started_at=NOW)
    held = steps.failed(unlimited, failure, now=NOW)

    assert not unlimited.in_doubt
    assert not limited.in_doubt
    assert not own(limited, SHARD, "next", now=NOW).in_doubt
    assert not take_turns(held, begun=3).in_doubt


def test_an_override_that_ended_by_itself_may_have_allowed_attempts_without_turns() -> None:
    unlimited = steps.configure(OWNED, "none", now=NOW)
    slowed = steps.override(unlimited, Override("1/s", "ann", "lunch", NOW + 10.0), now=NOW)
    pace = take_turns(slowed, begun=0)
    assert pace.in_doubt == {SHARD: 1}

    assert own(pace, SHARD, "next", now=NOW + 5.0).in_doubt == {SHARD: 1}
    assert not own(pace, SHARD, "next", now=NOW + 11.0).in_doubt
    assert not steps.configure(pace, "1/s", now=NOW + 11.0).in_doubt


def test_what_an_older_release_wrote_is_no_answer() -> None:
    pace = replace(take_turns(OWNED, begun=3), in_doubt={})

    assert not own(pace, SHARD, "next", now=NOW).in_doubt


def test_a_reservation_that_grants_no_turn_changes_nothing() -> None:
    after, reservation = reserve(OWNED, shard=SHARD, token="another", wanted=1, now=NOW)

    assert not isinstance(reservation, Grant)
    assert declared(after, SHARD, 7, reservation, now=NOW) is OWNED
