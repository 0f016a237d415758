"""The worker's state, as health checks and the status page show it."""

from dataclasses import dataclass

from consumer.run_folder import Phase


@dataclass(frozen=True, slots=True)
class WorkerView:
    """The worker at one moment. Times are monotonic seconds.

    phase_since: when the phase began. number: None while it waits for one; waits_for says why.
    daemon_since: when the running daemon was started, None where none runs.
    starts: daemons started so far.
    """

    phase: Phase = Phase.WAITING
    phase_since: float = 0.0
    number: int | None = None
    daemon_since: float | None = None
    starts: int = 0
    waits_for: str = ""
