"""What every ledger promises about the pace and its history."""

from dataclasses import replace

from ledger.pace.history import History, Sample
from ledger.pace.hold import Hold, HoldKind
from ledger.pace.pace import Blocker, Override, Pace, Pause
from ledger.pace.reservation import Grant, Reserved, Superseded
from ledger.pace.steps import configure
from ledger.pace.turns import own, reserve
from tests.support.stores import Ledger, Store

SHARD = "shardId-000000000000"


def test_a_new_table_has_a_fresh_pace_and_no_history(ledger: Ledger) -> None:
    assert ledger.read_pace() == Pace()
    assert ledger.read_history() == History()


def test_a_pace_is_read_as_it_was_written_with_the_next_revision(store: Store) -> None:
    pace = Pace(
        configured="1/s",
        override=Override("2.5/s", "ann", "a big day", 1e9 + 0.1),
        next_free=1_763_820_000.123456,
        reserved=(Reserved(1_763_820_000.1, 3, 1 / 3),),
        epoch=4,
        generation=7,
        paused=Pause("bob", "lunch é", 12.5, None),
        hold=Hold(HoldKind.THROTTLED, 7, 1.0, 2.0, 3, "429"),
        blockers={SHARD: Blocker("unknown version", "9", 5.0)},
        owners={SHARD: "token"},
        set_aside={"u/7": "stuck"},
        resumed=2,
    )

    assert store.ledger.swap_pace(Pace(), pace)

    assert store.another().read_pace() == replace(pace, revision=1)


def test_of_two_who_saw_the_same_pace_one_writes(store: Store) -> None:
    store.ledger.swap_pace(Pace(), Pace(configured="1/s"))
    seen = store.ledger.read_pace()

    first = store.ledger.swap_pace(seen, replace(seen, configured="2/s"))
    second = store.another().swap_pace(seen, replace(seen, configured="3/s"))

    assert (first, second) == (True, False)
    assert store.ledger.read_pace().configured == "2/s"
    assert store.ledger.read_pace().revision == 2


def test_of_two_who_saw_no_pace_one_writes_the_first(store: Store) -> None:
    assert store.ledger.swap_pace(Pace(), Pace(configured="1/s"))
    assert not store.another().swap_pace(Pace(), Pace(configured="2/s"))
    assert store.ledger.read_pace().configured == "1/s"


def test_a_superseded_process_gets_no_turn_from_what_it_saw_before(store: Store) -> None:
    old_owner, new_owner = store.ledger, store.another()
    old_owner.swap_pace(Pace(), own(configure(Pace(), "1/s", now=0.0), SHARD, "old", now=0.0))
    seen = old_owner.read_pace()
    current = new_owner.read_pace()
    new_owner.swap_pace(current, own(current, SHARD, "new", now=0.0))

    new, granted = reserve(seen, shard=SHARD, token="old", wanted=1, now=100.0)
    written = old_owner.swap_pace(seen, new)
    _, then = reserve(old_owner.read_pace(), shard=SHARD, token="old", wanted=1, now=100.0)

    assert isinstance(granted, Grant)
    assert not written
    assert then == Superseded()


def test_the_history_is_changed_by_one_at_a_time(store: Store) -> None:
    history = History((Sample(1_000.25, 5, 95), Sample(1_010.5, 15, 85, 1.5, 1_003.125)))

    first = store.ledger.swap_history(History(), history)
    second = store.another().swap_history(History(), History())

    assert (first, second) == (True, False)
    assert store.another().read_history() == replace(history, revision=1)
