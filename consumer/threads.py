"""How is a thread started whose end by surprise somebody hears of?

A thread that raises ends by itself and the process goes on without it: without the one that looks
for a stop, or the one that holds the claim. Every thread of the consumer is started here (decision
0064), so none can.
"""

from collections.abc import Callable
from threading import Thread


def start_thread(
    name: str, target: Callable[[], object], *, fail: Callable[[BaseException], object]
) -> Thread:
    """Run `target` beside the caller; `fail` gets what it raises. A return is an end as planned.

    It is a daemon thread: the process never waits for it at its end.
    """

    def run() -> None:
        try:
            target()
        except BaseException as error:  # noqa: BLE001 - whatever it is, `fail` must hear of it
            fail(error)

    thread = Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
