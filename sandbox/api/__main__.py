"""How is the sandbox's API run as a process of its own?"""

import argparse
import asyncio
import gc
import os
import signal
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

from orders.rate import Rate, RateError, parse_rate
from sandbox.api.descriptors import allow_connections
from sandbox.api.request_log import RequestLog
from sandbox.api.server import premises, serving

READY = "The sandbox's API answers at "
_HIGHEST_PORT = 65_535


def main() -> int:
    """Serve until SIGTERM or SIGINT; 0, or 2 where the port or the log file cannot be had."""
    arguments = _parser().parse_args()
    gc.set_threshold(100_000, 50, 100)  # a collection stops the clock for all requests
    allow_connections()
    if arguments.rate.interval_seconds:
        _give_way()
    with ExitStack() as stack:
        try:
            file = (
                stack.enter_context(arguments.log.open("ab", buffering=0))
                if arguments.log
                else None
            )
            asyncio.run(_serve(arguments.rate, arguments.port, file))
        except OSError as error:
            sys.stderr.write(f"The sandbox's API cannot start: {error}.\n")
            return 2
    return 0


def _give_way() -> None:
    """Interrupt nobody: the real API has a machine of its own, this one shares the sender's.

    A request that arrived would otherwise be answered while the sender is still about to note that
    it has sent it. Without a rate, what counts is how many are answered.
    """
    if hasattr(os, "SCHED_BATCH"):
        with suppress(PermissionError):  # where that is forbidden, starts are less even
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


async def _serve(rate: Rate, port: int, file: BinaryIO | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with serving(premises(rate, RequestLog(file=file)), port) as address:
        sys.stdout.write(f"{READY}{address}\n")
        sys.stdout.flush()
        await stopped.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.api", description="An orders API that takes so many a second."
    )
    parser.add_argument("--port", type=_port, default=0, help="0 (the default): a free one")
    parser.add_argument("--rate", type=_rate, default="1/s", help="N[.N]/(s|m|h) or none")
    parser.add_argument("--log", type=Path, help="append the request log to this file too")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; it is a number up to 65535")
    return int(text)


def _rate(text: str) -> Rate:
    try:
        return parse_rate(text)
    except RateError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
