"""How is the worker, for whoever watches?"""

from dataclasses import dataclass

from consumer.worker.plan import Phase


@dataclass(frozen=True, slots=True)
class WorkerView:
    """The worker at one moment. Times are monotonic seconds.

    phase_since: when the phase began. number: None while it waits for one; waits_for says what for.
    daemon_since: when the living daemon was started, None where none lives.
    starts: daemons started so far. renewed_at: when the claim was last renewed.
    """

    phase: Phase = Phase.WAITING
    phase_since: float = 0.0
    number: int | None = None
    daemon_since: float | None = None
    starts: int = 0
    renewed_at: float | None = None
    waits_for: str = ""


class Board:
    """Where the newest view hangs; one thread writes it, any may read it."""

    def __init__(self) -> None:
        self.view = WorkerView()
