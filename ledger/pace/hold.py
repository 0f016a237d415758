"""Holds: how long sending waits while the API is down, asks to wait or refuses the credential."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

HOLD_SECONDS_MAX = 3_600.0
"""A longer wait that the API asks for is not believed."""


class HoldKind(StrEnum):
    """Why sending holds."""

    UNAVAILABLE = "unavailable"
    THROTTLED = "throttled"
    UNAUTHORIZED = "unauthorized"


# The last step repeats. Unavailable: a 10-minute outage costs some 125 requests and ends at most
# 5 s after the API is back. Unauthorized: a person must act, so probing is slow.
# sandbox/judge/outage.py has limits that follow from these.
BACK_OFF_SECONDS: Mapping[HoldKind, tuple[float, ...]] = {
    HoldKind.UNAVAILABLE: (1.0, 2.0, 4.0, 5.0),
    HoldKind.THROTTLED: (1.0, 2.0, 4.0, 5.0),
    HoldKind.UNAUTHORIZED: (2.0, 5.0, 10.0, 20.0, 30.0),
}
LONGEST_BACK_OFF_SECONDS = max(map(max, BACK_OFF_SECONDS.values()))


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that got no usable answer.

    generation: of the pace when it started. wait_seconds: what the API asked for, 0 if nothing;
    it only extends a hold, up to HOLD_SECONDS_MAX. started_at: when the attempt started.
    """

    kind: HoldKind
    generation: int
    why: str
    wait_seconds: float
    started_at: float


@dataclass(frozen=True, slots=True)
class Hold:
    """The API is down, asks to wait, or refuses the credential: one probe, none before `until`.

    generation: which hold this is; results of attempts from before it change nothing.
    step: how many probes it granted. asked_until: the API asked for no request before.
    """

    kind: HoldKind
    generation: int
    since: float
    until: float
    step: int
    why: str
    asked_until: float = 0.0

    @property
    def needs_person(self) -> bool:
        """Must a person supply the right credential? Probing notices when that is done."""
        return self.kind is HoldKind.UNAUTHORIZED


def back_off(kind: HoldKind, step: int) -> float:
    """Seconds that a hold waits before its next probe.

    Always the same for a step: a change of the pace is repeated after a lost compare-and-set, and
    readers work the same time out again.
    """
    steps = BACK_OFF_SECONDS[kind]
    return steps[min(max(step, 0), len(steps) - 1)]
