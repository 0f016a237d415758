from ledger.advice import ADVICE, UNKNOWN_CAUSE, OtherCause, advice_on
from ledger.pace.hold import HoldKind
from ledger.pace.limits import Shut
from ledger.pace.pace import BlockReason


def test_there_is_advice_on_every_cause_that_stops_sending() -> None:
    assert set(ADVICE) == {*HoldKind, *BlockReason, *OtherCause, *Shut}
    assert all(advice.meaning and advice.action for advice in ADVICE.values())


def test_a_cause_as_the_ledger_stores_it_finds_its_advice() -> None:
    assert advice_on("later release") is ADVICE[BlockReason.LATER_RELEASE]
    assert advice_on("something that a later release wrote") is UNKNOWN_CAUSE
