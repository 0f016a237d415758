"""Several people working at once, one call at a time, in an order that the test chooses."""

from collections.abc import Callable
from threading import Semaphore, Thread, current_thread
from typing import Any

LIMIT_SECONDS = 30.0


class Crashed(BaseException):
    """The process was killed before its next call."""


class Person:
    """Does something in their own thread, which stops before each call."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self._go, self._stood = Semaphore(0), Semaphore(0)
        self._crashes = False
        self.error: BaseException | None = None
        self.is_done = False
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        self._wait()

    def step(self) -> None:
        """Let the next call happen, and everything up to the one after; nothing once it is done."""
        if not self.is_done:
            self._go.release()
            self._wait()

    def finish(self) -> None:
        """Continue to the end. Raises what went wrong."""
        while not self.is_done:
            self.step()
        if self.error and not isinstance(self.error, Crashed):
            raise self.error

    def crash(self) -> None:
        """Be killed before the next call."""
        self._crashes = True
        self.finish()

    def stand(self) -> None:
        """Wait for the next step; called in the person's own thread."""
        self._stood.release()
        self._go.acquire()
        if self._crashes:
            raise Crashed

    def _wait(self) -> None:
        assert self._stood.acquire(timeout=LIMIT_SECONDS), "a step did not end"

    def _run(self) -> None:
        people[current_thread()] = self
        try:
            self.stand()
            self._act()
        except BaseException as error:  # noqa: BLE001 - it is raised by finish
            self.error = error
        finally:
            self.is_done = True
            del people[current_thread()]
            self._stood.release()


people: dict[Thread, Person] = {}


def stand_still() -> None:
    """One step, if a person does this and not the test itself."""
    person = people.get(current_thread())
    if person:
        person.stand()


class StepByStep:
    """Something whose every call is a step."""

    def __init__(self, thing: object) -> None:
        self._thing = thing

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the thing has
        call = getattr(self._thing, name)

        def stepped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            stand_still()
            return call(*args, **kwargs)

        return stepped
