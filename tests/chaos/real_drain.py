"""How does the real consumer drain what a test left in a stream?"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from socket import socket

import requests

from orders.upload import UploadId
from sandbox.api.server import api_in_threads
from sandbox.code_archive import CHECKOUT
from tests.support.eventually import eventually
from tests.support.producer_pipeline import Pipeline

APPLICATION = "drain"
DRAIN_SECONDS = 400.0


def drained(pipeline: Pipeline, upload: UploadId, folder: Path) -> Counter[str]:
    """Run worker, KCL and shard processes without a pace until the upload has ended.

    Returns how often the API received each body, by its SHA-256.
    """
    stream = pipeline.outputs["StreamName"]
    with api_in_threads() as api, (folder / "worker.log").open("wb") as log:
        settings = {
            "ORDERS_APPLICATION": APPLICATION,
            "ORDERS_STREAM": stream,
            "ORDERS_LEDGER_TABLE": pipeline.outputs["LedgerTableName"],
            "ORDERS_API_URL": f"{api}/orders/{{order_id}}",
            "ORDERS_RATE": "none",
            "ORDERS_WINDOW": "256",
            "ORDERS_METRICS_PORT": str(_free_port()),
        }
        command = [sys.executable, "-m", "consumer"]
        worker = subprocess.Popen(
            command, env=os.environ | settings, cwd=CHECKOUT, stdout=log, stderr=log
        )
        try:
            eventually(
                lambda: not _is_open(pipeline, upload), "the drained upload", seconds=DRAIN_SECONDS
            )
        finally:
            worker.terminate()
            worker.wait(timeout=60)
        return _received(api)


def _is_open(pipeline: Pipeline, upload: UploadId) -> bool:
    account = pipeline.ledger.read_account(upload)
    return account is not None and account.upload.listed_open


def _received(api: str) -> Counter[str]:
    answer = requests.get(f"{api}/_sandbox/requests", timeout=60, stream=True)
    return Counter(json.loads(line)["body_sha256"] for line in answer.iter_lines())


def _free_port() -> int:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
