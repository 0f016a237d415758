"""What does the consumer's first process do, from its settings to its exit code?"""

import logging
import os
import socket
import time

from consumer.kcl.daemon import Java, JavaMissing, find_java, java_command, start
from consumer.kcl.properties import DaemonPlace, render
from consumer.kcl.worker_name import kcl_worker_id
from consumer.settings import ConsumerSettings
from consumer.telemetry.service import Telemetry
from consumer.worker.arrival import wait_for_number
from consumer.worker.children import adopt_orphans
from consumer.worker.claim_keeper import ClaimKeeper, DaemonWillNotDie
from consumer.worker.claiming import Applicant
from consumer.worker.logs import begin_log
from consumer.worker.plan import EXIT_STOPPED, Phase
from consumer.worker.proc import this_place
from consumer.worker.run_folder import RunFolder, WorkerFile, open_run_folder
from consumer.worker.signals import Signals
from consumer.worker.supervisor import Supervisor
from consumer.worker.surroundings import Surroundings
from consumer.worker.view import Board, WorkerView
from ledger.claim import Claim
from ledger.dynamodb.connect import open_ledger
from ledger.errors import LedgerError, LedgerUnreachable
from ledger.pace.change import change
from ledger.pace.steps import configure
from ledger.ports.claims import Claims

EXIT_USAGE = 2
EXIT_OUT_OF_REACH = 5
EXIT_FAILED = 1
SETTLE_MARGIN_SECONDS = 10.0
"""Beside an attempt's deadline: for what must be settled after it."""

log = logging.getLogger(__name__)


def run(settings: ConsumerSettings) -> int:
    """Run the worker until it is told to stop; the exit code. Call it in the main thread."""
    begin_log(settings.log_level)
    log.info("settings: %s", settings)
    # boto3 reads the one name, KCL's SDK the other; shard processes inherit both.
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = settings.region
    try:
        java = find_java(settings.java, heap_megabytes=settings.java_megabytes)
        listener = _listen(settings.metrics_host, settings.metrics_port)
    except (JavaMissing, PortTaken) as error:
        return _give_up(str(error), EXIT_USAGE)
    with listener:
        try:
            folder = open_run_folder(settings.run_folder)
        except OSError as error:
            return _give_up(f"ORDERS_RUN_FOLDER cannot be used: {error}.", EXIT_USAGE)
        os.environ["ORDERS_RUN_FOLDER"] = str(folder.path)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder.metrics)
        adopt_orphans()
        with folder, Signals() as signals:
            surroundings = Surroundings(folder, signals, Board())
            telemetry = Telemetry(settings, folder, surroundings.board, listener)
            code = _work(settings, java, surroundings, telemetry)
            telemetry.end()
            return code


def _work(
    settings: ConsumerSettings, java: Java, surroundings: Surroundings, telemetry: Telemetry
) -> int:
    try:
        ledger = open_ledger(settings.ledger_table, answer_seconds=3.0, attempts=2)
        claim = _arrive(settings, ledger, surroundings, telemetry)
        if claim is None:
            return EXIT_STOPPED
        if settings.rate is not None:
            rate = str(settings.rate)
            change(ledger, lambda pace: configure(pace, rate, now=time.time()))
    except LedgerUnreachable as error:
        return _give_up(f"AWS is out of reach: {error}; {error.hint}.", EXIT_OUT_OF_REACH)
    except LedgerError as error:
        return _give_up(f"{error}; {error.hint}.", EXIT_FAILED)
    except DaemonWillNotDie as error:
        return _give_up(str(error), EXIT_FAILED)
    keeper = ClaimKeeper(ledger, claim)

    def launch() -> int:
        pid = _launch(settings, java, surroundings.folder, keeper.number)
        telemetry.begin()  # after the daemon: what it imports would hold up the first order
        return pid

    settle_seconds = settings.attempt_seconds + SETTLE_MARGIN_SECONDS
    code = Supervisor(launch, keeper, surroundings, settle_seconds=settle_seconds).run()
    _release(keeper)
    return code


def _arrive(
    settings: ConsumerSettings, claims: Claims, surroundings: Surroundings, telemetry: Telemetry
) -> Claim | None:
    def tell(waits_for: str) -> None:
        surroundings.board.view = WorkerView(waits_for=waits_for)
        waiting = WorkerFile(os.getpid(), None, None, None, Phase.WAITING)
        surroundings.folder.write_worker(waiting)
        telemetry.begin()

    applicant = Applicant(settings.worker_id, settings.workers, this_place())
    return wait_for_number(claims, applicant, surroundings.signals, tell=tell)


def _launch(settings: ConsumerSettings, java: Java, folder: RunFolder, number: int) -> int:
    place = DaemonPlace(
        stream=settings.stream,
        application=settings.application,
        kcl_worker_id=kcl_worker_id(settings.worker_id, number),
        region=settings.region,
        endpoint_url=settings.endpoint_url,
    )
    properties = render(place, folder.path)
    command = java_command(java, properties, cbor=settings.endpoint_url is None)
    return start(command, folder=folder.path, environment=os.environ)


def _release(keeper: ClaimKeeper) -> None:
    try:
        keeper.release()
    except LedgerError as error:
        log.warning("the worker number is not given back: %s; it is free once it is stale", error)


class PortTaken(Exception):
    """The address for metrics and status page cannot be listened on; the message is a sentence."""


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise PortTaken(
            f"Metrics cannot be served on {host}:{port} ({error.strerror}); "
            "set ORDERS_METRICS_PORT or ORDERS_METRICS_HOST to an address that is free."
        ) from error


def _give_up(sentence: str, code: int) -> int:
    log.error("%s", sentence)
    return code
