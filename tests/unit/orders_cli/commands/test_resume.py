from dataclasses import replace

import pytest

from ledger.pace import steps
from ledger.pace.hold import Failure, HoldKind
from ledger.pace.pace import Blocker, Pace, Pause
from orders_cli.commands.resume import lifted_by_resume, resumed_sentence

NOW = 1_800_000_000.0
RUNNING = Pace(configured="1/s")


def resumed(pace: Pace) -> str:
    return resumed_sentence(lifted_by_resume(pace, NOW), steps.resume(pace), NOW)


def held(kind: HoldKind, why: str) -> Pace:
    return steps.failed(RUNNING, Failure(kind, 0, why, 1.0, NOW - 1), now=NOW - 1)


def test_nothing_stood_in_the_way() -> None:
    assert resumed(RUNNING) == "resumed; nothing stood in the way"


def test_a_pause_and_every_blocker_are_lifted() -> None:
    paused = steps.pause(RUNNING, Pause("ann", "their database moves", NOW - 5, None))
    blocked = steps.block(paused, "budget", Blocker("refusal budget spent", "21 of 100", NOW))

    assert resumed(blocked) == "resumed; lifted: the pause, refusal budget spent (21 of 100)"


def test_an_expired_pause_is_not_reported_as_lifted() -> None:
    over = steps.pause(RUNNING, Pause("ann", "their database moves", NOW - 5, NOW - 1))

    assert resumed(over) == "resumed; nothing stood in the way"


def test_a_wrong_credential_still_blocks_and_the_answer_says_what_to_do() -> None:
    said = resumed(held(HoldKind.UNAUTHORIZED, "the API answered 401"))

    assert said.startswith(
        "resumed; still in the way (blocked): unauthorized: the API answered 401"
    )
    assert "ORDERS_API_TOKEN_SECRET" in said


@pytest.mark.parametrize("kind", [HoldKind.UNAVAILABLE, HoldKind.THROTTLED])
def test_a_hold_stands_until_the_api_takes_an_order(kind: HoldKind) -> None:
    said = resumed(held(kind, "the API answered 503"))

    assert f"still in the way (held): {kind.value}: the API answered 503" in said
    assert "by itself" in said


def test_a_pause_is_lifted_while_a_hold_stands() -> None:
    pause = Pause("ann", "their database moves", NOW - 5, None)

    said = resumed(replace(held(HoldKind.UNAVAILABLE, "no answer"), paused=pause))

    assert said.startswith("resumed; lifted: the pause; still in the way (held)")


def test_without_a_rate_the_answer_says_which_setting_is_missing() -> None:
    assert "set ORDERS_RATE" in resumed(Pace())
