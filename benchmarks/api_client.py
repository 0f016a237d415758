"""Compare HTTP clients: how many orders a second does each PUT, with how many threads?

Ours beside requests, urllib3 and http.client, in one run, against the sandbox's API without a rate
limit, which is a process of its own.
"""

import argparse
import http.client
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import requests
import urllib3

from benchmarks.chain import LIMIT_SECONDS, sandbox_api
from consumer.adapters.http_api import HttpApi
from consumer.delivery.attempts import Accepted, OrderRequest

BODY = (
    b'{"order_id": "o-1", "customer_id": "c-1", "sku": "sku-1", "quantity": 1, "unit_price": 9.99}'
)
KEY = "0" * 32
FIELDS = {"Content-Type": "application/json", "Idempotency-Key": KEY}
THREADS = (1, 16, 64)
OK = 200

Put = Callable[[str], bool]
"""Sends one order; says whether it was accepted."""
Client = Callable[[str], Callable[[], Put]]
"""For the API's address, what makes each thread's Put."""


def with_requests(base: str) -> Callable[[], Put]:
    """One requests.Session a thread, without the proxies of the environment."""

    def put_of_thread() -> Put:
        session = requests.Session()
        session.trust_env = False

        def put(order_id: str) -> bool:
            url = f"{base}/orders/{order_id}"
            answer = session.put(
                url, BODY, headers=FIELDS, timeout=LIMIT_SECONDS, allow_redirects=False
            )
            return answer.status_code == OK

        return put

    return put_of_thread


def with_urllib3(base: str) -> Callable[[], Put]:
    """One connection pool for all threads."""
    pool = urllib3.connection_from_url(base, maxsize=max(THREADS), timeout=LIMIT_SECONDS)

    def put(order_id: str) -> bool:
        path = f"/orders/{order_id}"
        answer = pool.urlopen(
            "PUT", path, BODY, headers=FIELDS, retries=False, redirect=False, assert_same_host=False
        )
        return answer.status == OK

    return lambda: put


def with_http_client(base: str) -> Callable[[], Put]:
    """One http.client connection a thread."""

    def put_of_thread() -> Put:
        connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=LIMIT_SECONDS)

        def put(order_id: str) -> bool:
            connection.request("PUT", f"/orders/{order_id}", BODY, FIELDS)
            answer = connection.getresponse()
            answer.read()
            return answer.status == OK

        return put

    return put_of_thread


def with_ours(base: str) -> Callable[[], Put]:
    """One HttpApi for all threads, as in a shard process."""
    api = HttpApi(f"{base}/orders/{{order_id}}", attempt_seconds=LIMIT_SECONDS)
    return lambda: (
        lambda order_id: isinstance(
            api.send(OrderRequest("a" * 20, 1, order_id, BODY, KEY)), Accepted
        )
    )


CLIENTS: dict[str, Client] = {
    "requests": with_requests,
    "urllib3": with_urllib3,
    "http.client": with_http_client,
    "ours": with_ours,
}


def measure(client: Client, base: str, *, threads: int, seconds: float) -> tuple[float, float]:
    """Orders a second, and this process's CPU time for each, in microseconds."""
    put_of_thread = client(base)
    counts = [0] * threads
    start = threading.Barrier(threads + 1)

    def send(number: int) -> None:
        put = put_of_thread()
        if not put("warm-up"):
            raise AssertionError("the API did not accept an order")
        start.wait()
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            counts[number] += put(f"o-{number}-{counts[number]}")

    senders = [threading.Thread(target=send, args=(number,)) for number in range(threads)]
    for thread in senders:
        thread.start()
    start.wait()
    started_at, cpu_started_at = time.monotonic(), time.process_time()
    for thread in senders:
        thread.join()
    sent = sum(counts)
    seconds_taken = time.monotonic() - started_at
    return sent / seconds_taken, (time.process_time() - cpu_started_at) / sent * 1_000_000


def main() -> None:
    """Measure every client with every number of threads, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each measurement")
    seconds = parser.parse_args().seconds
    print(f"{'threads':>7}  {'client':<12}{'orders/s':>10}{'CPU us/order':>14}{'x requests':>12}")
    with sandbox_api() as base:
        for threads in THREADS:
            yardstick = 0.0
            for name, client in CLIENTS.items():
                rate, cpu_us = measure(client, base, threads=threads, seconds=seconds)
                yardstick = yardstick or rate
                ratio = rate / yardstick
                print(f"{threads:>7}  {name:<12}{rate:>10,.0f}{cpu_us:>14.0f}{ratio:>12.1f}")


if __name__ == "__main__":
    main()
