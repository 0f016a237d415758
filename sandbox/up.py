"""Bring the outside world up on one machine, and take it down again."""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from consumer.kcl.daemon import JavaMissing, find_java
from consumer.run_folder import write_by_rename
from consumer.worker.signals import Signals
from orders.chosen_rules import chosen_rules
from orders.retention import RETENTION_CHOICES_HOURS
from orders.rule_errors import RulesWrong
from sandbox.code_archive import CHECKOUT
from sandbox.configured_api import ConfiguredApi
from sandbox.embedded_aws import embedded_clients, start_aws
from sandbox.environment import (
    APPLICATION,
    SandboxEnvironment,
    env_file,
    sandbox_environment,
)
from sandbox.folder import SandboxFolder, occupied
from sandbox.monitor import Monitor, Part, StopAskedError, await_answer
from sandbox.pipeline import Pipeline, deploy_pipeline
from sandbox.sandbox_errors import WrongUse
from sandbox.sandbox_options import HOST, SandboxOptions, SandboxPorts, choose_ports
from sandbox.subprocesses import Subprocesses
from sandbox.worker_service import WorkerService

_AWS_SECONDS = 30.0
_API_SECONDS = 15.0
_WORKER_SECONDS = 120.0
_JAVA_MEGABYTES = 128
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class _Site:
    options: SandboxOptions
    folder: SandboxFolder
    ports: SandboxPorts
    subprocesses: Subprocesses
    say: Callable[[str], None]
    api: ConfiguredApi


def run_sandbox(options: SandboxOptions, say: Callable[[str], None]) -> None:
    """Bring the sandbox up and keep it until SIGTERM, SIGINT or SIGHUP; then leave nothing behind.

    To be called in the main thread. `say` gets a sentence for each event. Raises WrongUse and
    OutOfReach.
    """
    began = time.monotonic()
    _check_machine(options)
    api = ConfiguredApi.from_variables(os.environ)
    with Signals(_STOP_SIGNALS) as signals, occupied(options.folder) as folder:
        ports = choose_ports(options)
        subprocesses = Subprocesses(signals)
        try:
            with suppress(StopAskedError):
                monitor = _build(_Site(options, folder, ports, subprocesses, say, api))
                say(
                    f"Ready after {time.monotonic() - began:.1f} s; in another terminal: "
                    f". {shlex.quote(str(folder.environment))}"
                )
                monitor.watch(signals, say)
            say("The sandbox stops.")
        finally:
            folder.retract()
            subprocesses.end_all()
            folder.forget_aws()


def _check_machine(options: SandboxOptions) -> None:
    if sys.platform != "linux":
        raise WrongUse("The sandbox runs on Linux only: it finds and ends processes by /proc.")
    _check_order_rules()
    _check_retention()
    if not options.consumer:
        return
    try:
        find_java(os.environ.get("ORDERS_JAVA"), heap_megabytes=_JAVA_MEGABYTES)
    except JavaMissing as error:
        raise WrongUse(str(error)) from error


def _check_order_rules() -> None:
    """Those that the function will read by: it would fail at every upload."""
    names = ("ORDERS_ORDER_MODEL", "ORDERS_ORDER_ID_FIELD", "ORDERS_ORDER_MAPPING")
    model, id_field, mapping = (os.environ.get(name, "") for name in names)
    try:
        chosen_rules(model=model, id_field=id_field, mapping=mapping)
    except RulesWrong as error:
        raise WrongUse(str(error)) from error


def _check_retention() -> None:
    hours = os.environ.get("ORDERS_RETENTION_HOURS")
    choices = [str(choice) for choice in RETENTION_CHOICES_HOURS]
    if hours and hours not in choices:
        raise WrongUse(f"ORDERS_RETENTION_HOURS is {hours!r}; it may be {', '.join(choices)}.")


def _build(site: _Site) -> Monitor:
    aws, api = _start_parts(site)
    await_answer(aws, site.subprocesses.signals, _AWS_SECONDS)
    site.say(f"The embedded AWS answers at http://{HOST}:{site.ports.aws}.")
    pipeline = _deploy(site)
    site.say(f"The pipeline is deployed: bucket {pipeline.bucket}, stream {pipeline.stream}.")
    await_answer(api, site.subprocesses.signals, _API_SECONDS)
    site.say(f"The API at http://{HOST}:{site.ports.api} takes {site.options.limit}.")
    environment = sandbox_environment(
        os.environ,
        pipeline=pipeline,
        ports=site.ports,
        rate=site.options.rate,
        folder=site.folder,
    )
    service = _start_worker(site, environment) if site.options.consumer else None
    monitor = Monitor(site.subprocesses, site.folder, (aws, api), service)
    monitor.list_processes()
    write_by_rename(site.folder.environment, env_file(environment))
    return monitor


def _start_parts(site: _Site) -> tuple[Part, Part]:
    aws = start_aws(site.subprocesses, site.folder, site.ports.aws, os.environ)
    api = site.subprocesses.start(
        [
            *(sys.executable, "-m", "sandbox.api"),
            *("--port", str(site.ports.api)),
            *("--rate", str(site.options.limit)),
            *site.api.options,
        ],
        {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
        folder=CHECKOUT,
        log=site.folder.log_of("api"),
    )
    return (
        Part("aws", "The embedded AWS", aws, site.ports.aws, "/_ministack/health"),
        Part("api", "The API", api, site.ports.api, "/_sandbox/requests"),
    )


def _deploy(site: _Site) -> Pipeline:
    clients = embedded_clients(f"http://{HOST}:{site.ports.aws}")
    return deploy_pipeline(
        clients,
        application=APPLICATION,
        rate=site.options.rate,
        shards=site.options.shards,
        around=os.environ,
    )


def _start_worker(site: _Site, environment: SandboxEnvironment) -> WorkerService:
    service = WorkerService(site.subprocesses, site.folder, environment.over(os.environ))
    worker = Part("worker", "The consumer", service.start(), site.ports.metrics, "/readyz")
    await_answer(worker, site.subprocesses.signals, _WORKER_SECONDS)
    site.say(
        f"The consumer sends {site.options.rate}; its status is at http://{HOST}:{site.ports.metrics}/."
    )
    return service
