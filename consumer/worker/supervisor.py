"""The loop that carries out the plan: look, decide, act."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from consumer.run_folder import Phase, RunFolder, WorkerFile
from consumer.telemetry.service import Telemetry
from consumer.telemetry.worker_view import WorkerView
from consumer.worker.children import Children
from consumer.worker.claim_keeper import SURE_SECONDS, ClaimKeeper, may_be_lost
from consumer.worker.plan import EXIT_SUPERSEDED, Effect, Seen, State, advance
from consumer.worker.proc import live_process
from consumer.worker.signals import Signals

# A signal ends every wait: RUNNING looks for a lost claim, ENDING and KILLING for grandchildren,
# whose end raises no signal here.
_LOOK_SECONDS = {Phase.WAITING: 0.25, Phase.RUNNING: 0.5, Phase.ENDING: 0.05, Phase.KILLING: 0.02}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What the worker's main thread needs throughout: its files, signals and telemetry."""

    folder: RunFolder
    signals: Signals
    telemetry: Telemetry


class Supervisor:
    """The loop of a worker that holds a number. Run it in the main thread."""

    def __init__(
        self,
        launch: Callable[[], int],
        keeper: ClaimKeeper,
        context: WorkerContext,
        *,
        settle_seconds: float,
    ) -> None:
        """`launch` starts a daemon and returns its process id."""
        self._launch = launch
        self._keeper = keeper
        self._folder = context.folder
        self._signals = context.signals
        self._telemetry = context.telemetry
        self._settle_seconds = settle_seconds
        self._children = Children()
        self._daemon_since = 0.0  # monotonic
        self._starts = 0
        self._phase_since = time.monotonic()
        self._state = State()

    def run(self) -> int:
        """Keep one daemon running until it is time to exit; returns the exit code."""
        while self._state.phase is not Phase.ENDED:
            before = self._state.phase
            self._state, effects = advance(
                self._state, self._look(), settle_seconds=self._settle_seconds
            )
            for effect in effects:
                self._do(effect)
            if self._state.phase is not before:
                self._enter_phase()
            else:
                self._signals.wait(_LOOK_SECONDS[before])
            self._show()
        return self._state.exit_code or 0

    def _look(self) -> Seen:
        for pid in self._children.reap():
            self._folder.forget_shard(pid)
        # Through /proc only where it matters: it reads a file for each process of the machine.
        thorough = self._state.phase in {Phase.ENDING, Phase.KILLING}
        living = self._children.living() if thorough else frozenset[int]()
        return Seen(
            now=time.monotonic(),
            daemon_lives=self._children.daemon_pid is not None,
            shards=len(living - {self._children.daemon_pid}),
            children=len(living),
            initialized=bool(self._folder.shards()),
            stop_asked=self._signals.stop_asked,
            claim_lost=self._keeper.lost or self._is_claim_doubtful(),
        )

    def _is_claim_doubtful(self) -> bool:
        silent_seconds = self._keeper.silent_seconds
        if silent_seconds < SURE_SECONDS:
            return False
        checkpoints = [s.checkpoint_at for s in self._folder.shards() if s.checkpoint_at]
        return may_be_lost(silent_seconds, checkpoints, now=time.time())

    def _do(self, effect: Effect) -> None:
        match effect:
            case Effect.START_DAEMON:
                pid = self._launch()
                self._children.add_daemon(pid)
                self._daemon_since = time.monotonic()
                self._starts += 1
                self._keeper.name_daemon(live_process(pid))
                log.info("started the daemon %d", pid)
            case Effect.STOP_SHARDS:
                self._children.stop_shards()
            case Effect.KILL_ALL:
                self._children.kill_all()

    def _enter_phase(self) -> None:
        self._phase_since = time.monotonic()
        state = self._state
        if state.exit_code == EXIT_SUPERSEDED:
            log.error(
                "another worker took over number %d%s: stopping at once",
                self._keeper.number,
                "" if self._keeper.lost else ", or may have: no heartbeat gets through",
            )
        if state.phase is Phase.WAITING:
            for shard in self._folder.shards():
                self._folder.forget_shard(shard.pid)
            if state.failures:
                pause_seconds = state.until - time.monotonic()
                log.warning("no shard was leased; starting again in %.0f s", pause_seconds)
        daemon_pid = self._children.daemon_pid
        age_seconds = time.monotonic() - self._daemon_since
        self._folder.write_worker(
            WorkerFile(
                pid=os.getpid(),
                number=self._keeper.number,
                daemon_pid=daemon_pid,
                daemon_started_at=time.time() - age_seconds if daemon_pid else None,
                state=state.phase,
            )
        )

    def _show(self) -> None:
        self._telemetry.worker = WorkerView(
            phase=self._state.phase,
            phase_since=self._phase_since,
            number=self._keeper.number,
            daemon_since=self._daemon_since if self._children.daemon_pid else None,
            starts=self._starts,
        )
