"""Which process sends the orders of one shard?

The KCL daemon starts `python -m consumer.kcl.shard` for each shard that it leases and speaks the
MultiLang protocol with it over stdin and stdout. Whatever else would be printed goes to stderr.
"""

import logging
import os
import signal
import sys
import traceback
from typing import NoReturn, TextIO

FAILED = 1
LOG_FORMAT = "%(asctime)s %(levelname)s shard %(process)d %(name)s: %(message)s"
log = logging.getLogger(__name__)


def main() -> NoReturn:
    """Speak with the daemon until it is done with this process; never returns."""
    protocol = _take_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the worker: the worker sends SIGTERM
    try:
        _run(protocol)
    except BaseException as error:  # noqa: BLE001 - half a shard process must not live on
        die(error)
    leave(0)


def _take_stdout() -> TextIO:
    """The real stdout for the protocol alone; descriptor 1 is stderr from here on."""
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return protocol


def _run(protocol: TextIO) -> None:
    # Imported only now: kclpy binds sys.stdout while it is imported, and the metrics read where
    # to write from the environment.
    from amazon_kclpy.kcl import KCLProcess  # noqa: PLC0415

    from consumer.kcl.processor import RecordProcessor  # noqa: PLC0415
    from consumer.kcl.shard_parts import build  # noqa: PLC0415
    from consumer.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    if settings.run_folder is None:
        raise SystemExit("ORDERS_RUN_FOLDER is not set: the worker sets it for its shard processes")
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT, stream=sys.stderr)
    logging.getLogger("consumer").setLevel(settings.log_level)
    parts = build(settings, settings.run_folder, die=die, leave=leave)
    parts.guard.start()
    KCLProcess(RecordProcessor(parts.shard, die), sys.stdin, protocol, sys.stderr).run()
    parts.guard.stop_and_leave()


def die(error: BaseException) -> NoReturn:
    """End at once, without a word to the daemon: it ends too, and the worker starts it again."""
    sys.stderr.write("".join(traceback.format_exception(error)))
    leave(FAILED)


def leave(code: int) -> NoReturn:
    """End without waiting for threads: an attempt that hangs must not keep the process."""
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
