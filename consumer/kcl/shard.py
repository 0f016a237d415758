"""Which process sends the orders of one shard?

The KCL daemon starts `python -m consumer.kcl.shard` for each shard that it leases and speaks the
MultiLang protocol with it over stdin and stdout. Whatever else would be printed goes to stderr.
"""

import json
import logging
import os
import signal
import sys
from typing import Any, NoReturn, TextIO

from consumer.ending import die, leave

LOG_FORMAT = "%(asctime)s %(levelname)s shard %(process)d %(name)s: %(message)s"
log = logging.getLogger(__name__)


def main() -> NoReturn:
    """Speak with the daemon until it is done with this process; never returns."""
    protocol = _take_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the worker: the worker sends SIGTERM
    try:
        _run(greet(sys.stdin, protocol), protocol)
    except BaseException as error:  # noqa: BLE001 - half a shard process must not live on
        die(error)  # without a word to the daemon: it ends too, and the worker starts it again
    leave(0)


def _take_stdout() -> TextIO:
    """The real stdout for the protocol alone; descriptor 1 is stderr from here on."""
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return protocol


def greet(daemon: TextIO, protocol: TextIO) -> dict[str, Any]:
    """Answer the daemon's first message at once; returns the message, which is still to be obeyed.

    KCL looks once a second what to do with a shard, and hands records over two looks after it was
    answered. What follows here, a second of imports and the way to the ledger, fits in between;
    before the answer it would cost a look or two more. Records that come meanwhile wait in the
    pipe, and what fails ends the process, now as before (decision 0044).
    """
    message: dict[str, Any] = json.loads(daemon.readline())
    if message["action"] != "initialize":
        raise ValueError(f"the daemon's first message is {message['action']!r}")
    protocol.write('{"action": "status", "responseFor": "initialize"}\n')
    protocol.flush()
    return message


def _run(first: dict[str, Any], protocol: TextIO) -> None:
    # Imported only now: kclpy binds sys.stdout while it is imported, and the metrics read where
    # to write from the environment.
    from amazon_kclpy.kcl import KCLProcess  # noqa: PLC0415
    from amazon_kclpy.messages import InitializeInput  # noqa: PLC0415

    from consumer.kcl.processor import RecordProcessor  # noqa: PLC0415
    from consumer.kcl.shard_parts import build  # noqa: PLC0415
    from consumer.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    if settings.run_folder is None:
        raise SystemExit("ORDERS_RUN_FOLDER is not set: the worker sets it for its shard processes")
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT, stream=sys.stderr)
    logging.getLogger("consumer").setLevel(settings.log_level)
    logging.raiseExceptions = False  # the daemon reads the log: without it there is nobody to tell
    parts = build(settings, settings.run_folder, die=die, leave=leave)
    parts.guard.start()
    processor = RecordProcessor(parts.shard, die)
    processor.initialize(InitializeInput(first))
    KCLProcess(processor, sys.stdin, protocol, sys.stderr).run()
    parts.guard.stop_and_leave("the daemon has ended its messages", level=logging.INFO)


if __name__ == "__main__":
    main()
