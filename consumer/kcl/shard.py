"""The process that sends the orders of one shard.

The KCL daemon starts `python -m consumer.kcl.shard` for each shard that it leases and speaks the
MultiLang protocol with it over stdin and stdout. Everything else that is printed goes to stderr.
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
    """Serve the daemon until it is done with this process; never returns."""
    protocol = _take_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the worker: the worker sends SIGTERM
    try:
        _run(greet(sys.stdin, protocol), protocol)
    except BaseException as error:  # noqa: BLE001 - half a shard process must not live on
        die(error)  # without answering the daemon: it ends too, and the worker starts it again
    leave(0)


def _take_stdout() -> TextIO:
    """The real stdout, for the protocol alone; descriptor 1 is stderr from here on."""
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return protocol


def greet(daemon: TextIO, protocol: TextIO) -> dict[str, Any]:
    """Answer the daemon's first message at once; returns the message, which is yet to be acted on.

    KCL checks each shard once a second, and hands records over two checks after the answer. What
    follows here, a second of imports and the first ledger calls, fits in between; before the answer
    it would cost another check or two. Records that arrive meanwhile wait in the pipe, and a
    failure ends the process, as always (decision 0044).
    """
    message: dict[str, Any] = json.loads(daemon.readline())
    if message["action"] != "initialize":
        raise ValueError(f"the daemon's first message is {message['action']!r}")
    protocol.write('{"action": "status", "responseFor": "initialize"}\n')
    protocol.flush()
    return message


def _run(first: dict[str, Any], protocol: TextIO) -> None:
    # Imported only now: kclpy binds sys.stdout when it is imported.
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
    logging.raiseExceptions = False  # the daemon reads the log, and may be gone
    guard = build(settings, settings.run_folder, die=die, leave=leave)
    guard.start()
    processor = RecordProcessor(guard.shard, die)
    processor.initialize(InitializeInput(first))
    KCLProcess(processor, sys.stdin, protocol, sys.stderr).run()
    guard.stop_and_leave("the daemon has closed its messages", level=logging.INFO)


if __name__ == "__main__":
    main()
