"""How is the sandbox's API run as a process of its own?"""

import argparse
import gc
import os
import resource
import signal
import sys
from contextlib import nullcontext, suppress
from datetime import tzinfo
from functools import partial
from pathlib import Path

from consumer.adapters.batch_answer import (
    BatchResultsUnusable,
    ResultNames,
    parse_result_names,
)
from orders.quota import Quota, QuotaError, parse_quotas, parse_time_zone
from orders.rate import Rate, RateError, parse_rate
from sandbox.api.quota_rule import QuotaRule
from sandbox.api.server import api_in_threads
from sandbox.api.taken_requests import ID_FIELD, KEY_HEADER, METHOD, PATH, TakenRequests

READY = "The sandbox's API answers at "


def main() -> int:
    """Serve until SIGTERM or SIGINT; 0, or 2 where the port or the log file cannot be had."""
    arguments = _parser().parse_args()
    gc.set_threshold(100_000, 50, 100)  # a collection stops the clock for all requests
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))  # one a connection
    if arguments.rate.interval_seconds:
        _give_way()
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    try:
        log = arguments.log.open("ab", buffering=0) if arguments.log else nullcontext()
        takes = TakenRequests(
            arguments.method,
            arguments.path,
            arguments.key_header,
            arguments.batch_results,
            arguments.id_field,
        )
        quota = QuotaRule(arguments.quota, arguments.time_zone)
        serving = partial(api_in_threads, arguments.rate, arguments.port, takes=takes, quota=quota)
        with log as file, serving(file) as address:
            sys.stdout.write(f"{READY}{address}\n")
            sys.stdout.flush()
            signal.sigwait(stops)
    except (OSError, OverflowError) as error:  # the latter of a port that is none
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.api", description="An orders API that takes so many a second."
    )
    parser.add_argument("--port", type=int, default=0, help="0 (the default): a free one")
    parser.add_argument("--rate", type=_rate, default="1/s", help="N[.N]/(s|m|h) or none")
    parser.add_argument("--quota", type=_quotas, default=(), help="as in ORDERS_QUOTA")
    parser.add_argument("--time-zone", type=_zone, default="UTC", help="of its days")
    parser.add_argument("--method", default=METHOD, help=f"of its requests (default: {METHOD})")
    parser.add_argument("--path", default=PATH, help="of an order, with placeholders")
    parser.add_argument("--key-header", default=KEY_HEADER, help="header of the idempotency key")
    parser.add_argument(
        "--batch-results", type=_results, help="LIST:ID,STATUS: answer for each order of a batch"
    )
    parser.add_argument("--id-field", default=ID_FIELD, help="of an order in a body")
    parser.add_argument("--log", type=Path, help="append the request log to this file too")
    return parser


def _results(text: str) -> ResultNames:
    try:
        return parse_result_names(text)
    except BatchResultsUnusable as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _quotas(text: str) -> tuple[Quota, ...]:
    try:
        return parse_quotas(text)
    except QuotaError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _zone(text: str) -> tzinfo:
    try:
        return parse_time_zone(text)
    except QuotaError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _rate(text: str) -> Rate:
    try:
        return parse_rate(text)
    except RateError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
