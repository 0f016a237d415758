"""The consumer's first process, from its settings to its exit code."""

import logging
import os
import socket
import sys
import time

from consumer.kcl.daemon import Java, JavaMissing, find_java, java_command, start
from consumer.kcl.lease_table import ForeignTable, LeaseTable
from consumer.kcl.properties import DaemonPlace, kcl_worker_id, render
from consumer.run_folder import Phase, WorkerFile, open_run_folder
from consumer.settings import ConsumerSettings
from consumer.telemetry.service import Telemetry
from consumer.telemetry.worker_view import WorkerView
from consumer.worker.arrival import DaemonWillNotDie, wait_for_number
from consumer.worker.children import adopt_orphans
from consumer.worker.claim_keeper import ClaimKeeper
from consumer.worker.claiming import Applicant
from consumer.worker.lease_readiness import shards_of, wait_for_lease_table, write_first_leases
from consumer.worker.plan import EXIT_STOPPED, EXIT_SUPERSEDED
from consumer.worker.proc import live_process, this_place
from consumer.worker.signals import Signals
from consumer.worker.supervisor import Supervisor, WorkerContext
from ledger.claim import Claim
from ledger.dynamodb.connect import dynamodb_client
from ledger.dynamodb.ledger import DynamoLedger
from ledger.errors import LedgerError, LedgerUnreachable
from ledger.pace.change import change
from ledger.pace.limits import NO_LIMITS, Limits
from ledger.pace.pace import Pace
from ledger.pace.quota_use import below_rate
from ledger.pace.steps import carry, configure, configure_limits
from ledger.ports.claims import Claims
from ledger.ports.pace import PaceStore

EXIT_USAGE = 2
EXIT_OUT_OF_REACH = 5
EXIT_FAILED = 1
SETTLE_MARGIN_SECONDS = 10.0
"""Added to an attempt's deadline: for what must be settled after it."""

log = logging.getLogger(__name__)


def run(settings: ConsumerSettings) -> int:
    """Run the worker until it is told to stop; the exit code. Call it in the main thread."""
    _begin_log(settings.log_level)
    log.info("settings: %s", settings)
    # boto3 reads the one name, KCL's SDK the other; shard processes inherit both.
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = settings.region
    host, port = settings.metrics_host, settings.metrics_port
    try:
        java = find_java(settings.java, heap_megabytes=settings.java_megabytes)
        listener = _listen(host, port)
    except JavaMissing as error:
        return _give_up(str(error), EXIT_USAGE)
    except OSError as error:
        sentence = (
            f"Metrics cannot be served on {host}:{port} ({error.strerror}); "
            "set ORDERS_METRICS_PORT or ORDERS_METRICS_HOST to an address that is free."
        )
        return _give_up(sentence, EXIT_USAGE)
    with listener:
        try:
            folder = open_run_folder(settings.run_folder)
        except OSError as error:
            return _give_up(f"ORDERS_RUN_FOLDER cannot be used: {error}.", EXIT_USAGE)
        os.environ["ORDERS_RUN_FOLDER"] = str(folder.path)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder.metrics)
        adopt_orphans()
        with folder, Signals() as signals:
            telemetry = Telemetry(settings, folder, listener, is_alive=_is_alive)
            code = _work(settings, java, WorkerContext(folder, signals, telemetry))
            telemetry.end()
            return code


def _begin_log(level: str) -> None:
    """Log to stderr, one line an event, in UTC."""
    form = "{asctime}.{msecs:03.0f}Z {levelname:<5} worker {name}: {message}"
    formatter = logging.Formatter(form, datefmt="%Y-%m-%dT%H:%M:%S", style="{")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.raiseExceptions = False  # a log that nobody reads must not end the worker
    for talkative in ("boto3", "botocore", "urllib3", "uvicorn", "asyncio"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def _is_alive(pid: int) -> bool:
    return live_process(pid) is not None


def _work(settings: ConsumerSettings, java: Java, context: WorkerContext) -> int:
    try:
        client = dynamodb_client(settings.ledger_table, answer_seconds=3.0, attempts=2)
        ledger = DynamoLedger(client, settings.ledger_table)
        claim = _claim(settings, ledger, context)
        if claim is None:
            return EXIT_STOPPED
        _write_pace(settings, ledger)
    except LedgerUnreachable as error:
        return _give_up(f"AWS is out of reach: {error}; {error.hint}.", EXIT_OUT_OF_REACH)
    except LedgerError as error:
        return _give_up(f"{error}; {error.hint}.", EXIT_FAILED)
    except DaemonWillNotDie as error:
        return _give_up(str(error), EXIT_FAILED)
    keeper = ClaimKeeper(ledger, claim)
    try:
        if _await_leases(settings, LeaseTable(client, settings.lease_table), keeper, context):
            code = _supervise(settings, java, keeper, context)
        else:
            code = EXIT_SUPERSEDED if keeper.lost else EXIT_STOPPED
    except ForeignTable as error:
        code = _give_up(str(error), EXIT_USAGE)
    except LedgerUnreachable as error:
        code = _give_up(f"AWS is out of reach: {error}; {error.hint}.", EXIT_OUT_OF_REACH)
    try:
        keeper.release()
    except LedgerError as error:
        log.warning("the worker number is not given back: %s; it is free once it is stale", error)
    return code


def _await_leases(
    settings: ConsumerSettings, table: LeaseTable, keeper: ClaimKeeper, context: WorkerContext
) -> bool:
    def tell(waits_for: str) -> None:
        context.telemetry.worker = WorkerView(number=keeper.number, waits_for=waits_for)
        context.telemetry.begin()

    is_ready = wait_for_lease_table(
        table,
        is_over=lambda: context.signals.stop_asked or keeper.lost,
        wait=context.signals.wait,
        tell=tell,
    )
    if is_ready:
        numbers = range(1, settings.workers + 1)
        owners = [kcl_worker_id(settings.worker_id, number) for number in numbers]
        write_first_leases(table, lambda: shards_of(settings.stream), owners)
    return is_ready


def _supervise(
    settings: ConsumerSettings, java: Java, keeper: ClaimKeeper, context: WorkerContext
) -> int:
    place = DaemonPlace(
        stream=settings.stream,
        lease_table=settings.lease_table,
        kcl_worker_id=kcl_worker_id(settings.worker_id, keeper.number),
        region=settings.region,
        endpoint_url=settings.endpoint_url,
    )

    def launch() -> int:
        properties = render(place, context.folder.path)
        command = java_command(java, properties, cbor=place.endpoint_url is None)
        pid = start(command, folder=context.folder.path, environment=os.environ)
        context.telemetry.begin()  # after the daemon: its imports would hold up the first order
        return pid

    settle_seconds = settings.attempt_seconds + SETTLE_MARGIN_SECONDS
    return Supervisor(launch, keeper, context, settle_seconds=settle_seconds).run()


def _write_pace(settings: ConsumerSettings, ledger: PaceStore) -> None:
    limits = Limits(",".join(map(str, settings.quota)), settings.hours, settings.time_zone)
    if not limits.is_set:
        limits = NO_LIMITS

    def step(pace: Pace) -> Pace:
        now = time.time()
        pace = carry(pace, settings.batch)
        if settings.rate is not None:
            pace = configure(pace, str(settings.rate), now=now)
        return configure_limits(pace, limits, now=now)

    pace = change(ledger, step)
    for sentence in below_rate(pace, time.time()):
        log.info("%s", sentence)


def _claim(settings: ConsumerSettings, claims: Claims, context: WorkerContext) -> Claim | None:
    def tell(waits_for: str) -> None:
        context.telemetry.worker = WorkerView(waits_for=waits_for)
        context.folder.write_worker(WorkerFile(os.getpid(), None, None, None, Phase.WAITING))
        context.telemetry.begin()

    applicant = Applicant(settings.worker_id, settings.workers, this_place())
    return wait_for_number(claims, applicant, context.signals, tell=tell)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family)


def _give_up(sentence: str, code: int) -> int:
    log.error("%s", sentence)
    return code
