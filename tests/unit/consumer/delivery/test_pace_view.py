"""What does one process make of the pace that it sees, and what has it to write?"""

from dataclasses import replace

from consumer.delivery.pace_view import PaceView
from ledger.pace import steps
from ledger.pace.hold import Failure, HoldKind
from ledger.pace.pace import Pace
from ledger.pace.turns import own

NOW = 1_000_000.0
SHARD = "shardId-000000000000"
TOKEN = "mine"


def seen(rate: str = "1/s") -> PaceView:
    pace = own(steps.configure(Pace(), rate, now=NOW), SHARD, TOKEN, now=NOW)
    return PaceView(SHARD, TOKEN, pace)


def fail(view: PaceView, generation: int, *, now: float = NOW) -> None:
    view.failed(Failure(HoldKind.UNAVAILABLE, generation, "down", 0.0, now), now)


def test_a_failure_holds_at_once_and_is_to_be_written() -> None:
    view = seen()

    fail(view, 0)

    assert view.pace.hold
    change = view.next_change()
    assert change
    assert change.step(seen().pace, NOW).hold


def test_late_results_of_an_older_generation_are_not_even_written() -> None:
    view = seen()
    fail(view, 0)
    view.next_change()
    view.change_ended(is_written=True)
    held = view.pace

    fail(view, 0, now=NOW + 0.5)
    view.answered(0, NOW + 0.1, NOW + 0.5)

    assert view.pace == held
    assert view.next_change() is None


def test_the_answer_to_a_probe_ends_the_hold_and_is_to_be_written() -> None:
    view = seen()
    fail(view, 0)
    view.next_change()
    view.change_ended(is_written=True)

    held = view.pace

    view.answered(view.pace.generation, NOW + 0.9, NOW + 1.0)

    assert view.pace.hold is None
    change = view.next_change()
    assert change
    assert change.step(held, NOW + 1.0).hold is None


def test_a_pace_under_another_token_supersedes_whatever_the_rate_is() -> None:
    for rate in ("1/s", "none"):
        view = seen(rate)
        assert not view.is_superseded
        taken = own(view.pace, SHARD, "another", now=NOW)

        view.see(replace(taken, revision=view.pace.revision + 1), NOW)

        assert view.is_superseded


def test_an_older_pace_than_is_known_is_let_be() -> None:
    view = seen()
    known = replace(view.pace, revision=5)
    view.see(known, NOW)

    view.see(replace(Pace(), revision=4), NOW)

    assert view.pace == known
    assert not view.is_superseded


def test_a_change_that_is_not_written_yet_stands_on_top_of_what_comes_back() -> None:
    view = seen()
    before = view.pace
    fail(view, 0)
    view.next_change()

    view.see(replace(before, revision=before.revision + 1), NOW)

    assert view.pace.hold
