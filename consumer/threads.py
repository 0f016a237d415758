"""Starting a thread whose failure does not go unnoticed.

A thread that raises ends alone, and the process goes on without it: without the thread that watches
for a stop, or renews the claim. So every thread of the consumer is started here (decision 0064).
"""

from collections.abc import Callable
from threading import Thread


def start_thread(
    name: str, target: Callable[[], object], *, fail: Callable[[BaseException], object]
) -> Thread:
    """Run `target` in a daemon thread; `fail` gets what it raises."""

    def run() -> None:
        try:
            target()
        except BaseException as error:  # noqa: BLE001 - whatever it is, `fail` must hear of it
            fail(error)

    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
