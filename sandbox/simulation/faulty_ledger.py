"""A ledger whose calls fail, or whose answers are lost."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, cast

from consumer.sending.ledger_calls import Ledger
from ledger.errors import LedgerRefused, LedgerUnreachable


class LedgerFault(Enum):
    """What happens to a call."""

    NONE = auto()
    REFUSED = auto()  # it has no effect
    REFUSED_FOR_GOOD = auto()  # nor will the same call ever have one
    ANSWER_LOST = auto()  # it takes effect, but the caller never learns of it


def with_faults(ledger: Ledger, fault: Callable[[str], LedgerFault]) -> Ledger:
    """A ledger each of whose calls meets the fault that `fault` returns for the call's name."""
    return cast("Ledger", _FaultyLedger(ledger, fault))


class _FaultyLedger:
    def __init__(self, ledger: Ledger, fault: Callable[[str], LedgerFault]) -> None:
        self._ledger = ledger
        self._fault = fault

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real ledger has
        method = getattr(self._ledger, name)

        def call(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - as the real method
            fault = self._fault(name)
            if fault is LedgerFault.REFUSED_FOR_GOOD:
                raise LedgerRefused(f"{name} was refused for good", hint="it is a simulation")
            if fault is LedgerFault.REFUSED:
                raise LedgerUnreachable(f"{name} was refused", hint="it is a simulation")
            answer = method(*args, **named)
            if fault is LedgerFault.ANSWER_LOST:
                raise LedgerUnreachable(f"{name}: no answer", hint="it is a simulation")
            return answer

        return call
