"""What each cause that stops sending means, and what to do about it.

One table for the status page, the `orders` command and docs/what-stops-sending.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger.pace.hold import HoldKind
from ledger.pace.limits import Shut
from ledger.pace.pace import HOW_TO_SET_RATE, BlockReason


class OtherCause(StrEnum):
    """What stops sending beside a hold (HoldKind), a limit (Shut) and a blocker (BlockReason)."""

    PAUSED = "paused"
    NO_RATE = "no rate"
    NO_WORKER = "no worker"


@dataclass(frozen=True, slots=True)
class Advice:
    """Two clauses for people: what happened, and what to do.

    is_in_reason: the reason that the status gives already says what to do.
    """

    meaning: str
    action: str
    is_in_reason: bool = False


ADVICE: Mapping[str, Advice] = {
    HoldKind.UNAVAILABLE: Advice(
        "the API is down, or cannot be reached from here",
        "nothing to do here: sending probes the API and resumes by itself within seconds of its "
        "return; ask the API's owner if it takes long",
    ),
    HoldKind.THROTTLED: Advice(
        "the API answers 429",
        "nothing to do now: sending resumes by itself when the API allows it; if this happens "
        "often, ask for the real limit and set a lower pace with `orders pace`",
    ),
    HoldKind.UNAUTHORIZED: Advice(
        "the API answers 401 or 403",
        "put the right credential where ORDERS_API_TOKEN_FILE, ORDERS_API_TOKEN_SECRET or "
        "ORDERS_API_TOKEN_PARAMETER points (a new ORDERS_API_TOKEN needs a restart); "
        "sending then resumes by itself within a minute "
        "(CredentialsRefused in docs/operations.md)",
    ),
    BlockReason.REFUSAL_BUDGET_SPENT: Advice(
        "more orders of one upload were refused than ORDERS_REFUSAL_BUDGET allows",
        "look at `orders dead-letters list`, fix the cause, then run `orders resume` "
        "(RefusalBudgetSpent in docs/operations.md)",
    ),
    BlockReason.LATER_RELEASE: Advice(
        "a newer release wrote orders that this one cannot read",
        "deploy the newer consumer; nothing is lost",
    ),
    BlockReason.ROW_MISSING: Advice(
        "the row of an upload is gone from the ledger",
        "restore the ledger (Restore in docs/operations.md); sending never guesses, and `orders "
        "resume` does not change that",
    ),
    BlockReason.WRITE_REFUSED: Advice(
        "DynamoDB refused a write because of its content; the reason names shard, upload and error",
        "fix what the reason names (a table that infra/pipeline.yaml did not make, a row that grew "
        "too large); sending resumes by itself within seconds of the first write that succeeds",
    ),
    OtherCause.PAUSED: Advice("a person paused sending", "run `orders resume` to send again"),
    OtherCause.NO_RATE: Advice(
        "neither ORDERS_RATE nor `orders pace` set a rate",
        HOW_TO_SET_RATE,
        is_in_reason=True,
    ),
    Shut.QUOTA: Advice(
        "as many requests were made as ORDERS_QUOTA allows",
        "nothing to do: sending goes on by itself when the quota's next window begins",
    ),
    Shut.HOURS: Advice(
        "ORDERS_HOURS allows no sending now",
        "nothing to do: sending goes on by itself when the hours begin",
    ),
    OtherCause.NO_WORKER: Advice(
        "no worker has shown a sign of life for 30 seconds",
        "start it again (ConsumerAbsent in docs/operations.md says how)",
        is_in_reason=True,
    ),
}
"""By cause, as `SendingStatus.cause` has it."""
UNKNOWN_CAUSE = Advice("a later release stopped sending", "fix the cause, then run `orders resume`")


def advice_on(cause: str) -> Advice:
    """The advice on a cause; a later release may have written one that is unknown here."""
    return ADVICE.get(cause, UNKNOWN_CAUSE)


def action_beside_reason(cause: str) -> str:
    """What to do, unless the reason says so already; empty while nothing stops sending."""
    if not cause:
        return ""
    advice = advice_on(cause)
    return "" if advice.is_in_reason else advice.action
