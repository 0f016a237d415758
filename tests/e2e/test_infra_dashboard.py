"""Do a real Prometheus and the real consumer give each panel something to show?"""

import json
import os
import subprocess
from collections.abc import Iterator
from functools import partial
from typing import Any
from unittest.mock import patch
from urllib.error import URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import pytest

from orders.rate import parse_rate
from sandbox.embedded_aws import embedded_clients
from sandbox.running import RunningSandbox, running_sandbox
from sandbox.sandbox_options import SandboxOptions, choose_ports
from tests.support.dashboard_queries import FOLDER, dashboard
from tests.support.eventually import eventually

pytestmark = [pytest.mark.needs("prometheus"), pytest.mark.slow, pytest.mark.kcl]

LIMIT_SECONDS = 60.0
# As Grafana would replace them; the counters are scraped each second.
VARIABLES = {"$__rate_interval": "10s", "$job": "orders"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox in which orders are sent, one line is invalid, and the API fails for a while."""
    folder = tmp_path_factory.mktemp("sandbox") / "running"
    with (
        patch.dict(os.environ, {"ORDERS_QUOTA": "100000/d"}),
        running_sandbox(folder, ["--rate", "2/s"]) as sandbox,
    ):
        told = sandbox.environment({})
        order = {"customer_id": "c", "sku": "s", "quantity": 1, "unit_price": 1, "currency": "EUR"}
        lines = [json.dumps({"order_id": f"panel-{n}", **order}) for n in range(300)]
        embedded_clients(told["AWS_ENDPOINT_URL"]).s3.put_object(
            Bucket=told["ORDERS_BUCKET"],
            Key="uploads/panels.jsonl",
            Body="\n".join([*lines, "no order"]).encode(),
        )
        fault = {"kind": "status", "status": 503, "for_requests": 2}
        _post(f"{told['ORDERS_SANDBOX_API']}/_sandbox/faults", fault)
        yield sandbox


@pytest.fixture(scope="module")
def prometheus(sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with our rules that scrapes the sandbox's consumer; gives its address."""
    folder = tmp_path_factory.mktemp("prometheus")
    scraped = urlsplit(sandbox.environment({})["ORDERS_METRICS_URL"]).netloc
    port = choose_ports(SandboxOptions(folder, parse_rate("1/s"))).aws
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(FOLDER / "rules.yml")],
        "scrape_configs": [{"job_name": "orders", "static_configs": [{"targets": [scraped]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            eventually(partial(_shows, address, "vector(1)"), seconds=LIMIT_SECONDS)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


def test_every_panel_shows_something_while_orders_wait(prometheus: str) -> None:
    waiting = {
        t["expr"]: panel["title"] for panel in dashboard()["panels"] for t in panel["targets"]
    }

    for expr, title in waiting.items():
        eventually(partial(_shows, prometheus, expr), title, seconds=LIMIT_SECONDS)


def test_every_rule_is_evaluated_without_an_error(prometheus: str) -> None:
    def rules() -> list[dict[str, Any]]:
        groups = _get(f"{prometheus}/api/v1/rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def all_evaluated() -> bool:
        healths = {rule["health"] for rule in rules()}
        return bool(healths) and "unknown" not in healths

    eventually(all_evaluated, seconds=LIMIT_SECONDS)

    assert {rule["health"] for rule in rules()} == {"ok"}


def _shows(prometheus: str, expr: str) -> bool:
    """Does the query give a number now?"""
    for variable, value in VARIABLES.items():
        expr = expr.replace(variable, value)
    try:
        found = _get(f"{prometheus}/api/v1/query?query={quote(expr)}")["result"]
    except (URLError, OSError):
        return False
    return any(sample["value"][1] not in {"NaN", "+Inf"} for sample in found)


def _get(url: str) -> dict[str, Any]:
    with urlopen(url, timeout=5) as answer:  # noqa: S310 - an address of this machine
        return dict(json.loads(answer.read())["data"])


def _post(url: str, body: dict[str, Any]) -> None:
    request = Request(url, data=json.dumps(body).encode(), method="POST")  # noqa: S310 - as above
    with urlopen(request, timeout=5):  # noqa: S310 - as above
        pass
