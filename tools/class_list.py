"""Which classes does the daemon load until it has sent its first orders?

`.venv/bin/python -m tools.class_list` watches one at work in a sandbox (half a minute) and rewrites
properties/kcl.classlist: run it after a change of amazon-kclpy, of its settings or of the Java. An
outdated list does no harm; the daemon only starts more slowly.
"""

import json
import os
import re
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import boto3
import requests

from consumer.kcl.class_archive import CLASS_LIST, HEAP_MEGABYTES
from consumer.kcl.daemon import find_java
from sandbox.running import RunningSandbox, running_sandbox

ORDERS = 20
LIMIT_SECONDS = 60.0
POLL_SECONDS = 0.1
_OF_JAVA = re.compile(r"(?:com/sun|java|javax|jdk|org/ietf|org/w3c|org/xml|sun)/")
_MADE_AT_RUN_TIME = re.compile(r"\$Proxy\d|\$\$|LambdaForm\$(?:D?MH|BMH|VH)/|/0x")
_ORDER = {"customer_id": "c", "sku": "s", "quantity": 1, "unit_price": "1.00", "currency": "EUR"}


def names(dumped: str, in_jars: frozenset[str]) -> list[str]:
    """The classes to archive, sorted, from what Java's DumpLoadedClassList wrote.

    Only classes that are in a file: those that Java makes at run time have no fixed names, and
    their lines, which begin with an @, are as long as all the others together.
    """
    words = (line.split()[0] for line in dumped.splitlines() if line.strip())
    kept = (word for word in words if word in in_jars or _OF_JAVA.match(word))
    return sorted({word for word in kept if not _MADE_AT_RUN_TIME.search(word)})


def classes_in(jars: Iterable[Path]) -> frozenset[str]:
    """All classes in these jars, as `io/netty/channel/Channel`."""
    found: set[str] = set()
    for jar in jars:
        with zipfile.ZipFile(jar) as opened:
            found |= {n.removesuffix(".class") for n in opened.namelist() if n.endswith(".class")}
    return frozenset(found)


def _upload(told: dict[str, str]) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=told["AWS_ENDPOINT_URL"],
        region_name=told["AWS_REGION"],
        aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
    )
    lines = [json.dumps({"order_id": f"o-{n}", **_ORDER}) + "\n" for n in range(ORDERS)]
    s3.put_object(
        Bucket=told["ORDERS_BUCKET"], Key="uploads/orders.jsonl", Body="".join(lines).encode()
    )


def _wait_for(is_so: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + LIMIT_SECONDS
    while not is_so():
        if time.monotonic() > give_up_at:
            raise SystemExit(f"After {LIMIT_SECONDS:.0f} s it is still not true that {what}.")
        time.sleep(POLL_SECONDS)


def _requests(told: dict[str, str]) -> int:
    url = f"{told['ORDERS_SANDBOX_API']}/_sandbox/requests"
    return len(requests.get(url, timeout=10).text.splitlines())


def _watch(sandbox: RunningSandbox, dumps: Path) -> str:
    """Let the daemon work, and read what it loaded; Java completes the list when it exits."""
    told = sandbox.environment({})
    _upload(told)
    _wait_for(lambda: _requests(told) >= ORDERS, "the orders are sent")
    (daemon,) = [entry.pid for entry in sandbox.processes() if entry.role == "daemon"]
    os.kill(daemon, signal.SIGTERM)
    _wait_for(lambda: not Path(f"/proc/{daemon}").exists(), "the daemon has ended")
    return (dumps / f"pid{daemon}.txt").read_text(encoding="utf-8")


def main() -> int:
    """Rewrite the list."""
    java = find_java(os.environ.get("ORDERS_JAVA"), heap_megabytes=HEAP_MEGABYTES)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # The sandbox's worker starts the daemon; Java takes options from this variable, too.
        os.environ["JDK_JAVA_OPTIONS"] = f"-XX:DumpLoadedClassList={folder}/%p.txt"  # `pid1234.txt`
        with running_sandbox(folder / "sandbox", ["--rate", "10/s"]) as sandbox:
            dumped = _watch(sandbox, folder)
    listed = names(dumped, classes_in(java.jars.glob("*.jar")))
    CLASS_LIST.write_text("".join(f"{name}\n" for name in listed), encoding="ascii")
    print(f"{CLASS_LIST}: {len(listed)} classes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
