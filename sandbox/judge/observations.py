"""The values that the judge looks at.

They are plain: the file's orders, the API's own log, the numbers of `orders status --json`. So one
judge serves property tests, end-to-end and chaos tests, and the demo.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ledger.uploads.upload import Account
from orders.upload import UploadId, idempotency_key


@dataclass(frozen=True, slots=True)
class ExpectedOrder:
    """An order that the file holds, and how the API must see it."""

    line: int
    order_id: str
    body_sha256: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Request:
    """An entry of the API's log; `t` is its arrival in seconds of CLOCK_MONOTONIC."""

    t: float
    method: str
    order_id: str
    status: int
    idempotency_key: str
    body_sha256: str

    @property
    def is_accepted(self) -> bool:
        """Did the API accept the order?"""
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of 2xx answers


@dataclass(frozen=True, slots=True)
class Numbers:
    """An upload's numbers at one moment, as `orders status --json` gives them."""

    lines_read: int
    blank: int
    invalid: int
    enqueued: int
    accepted: int
    refused: int
    cancelled: int
    missing: int
    waiting: int

    @property
    def adds_up(self) -> bool:
        """Does the equation of promise 1 hold?"""
        settled = self.accepted + self.refused + self.cancelled + self.missing
        return (
            self.lines_read == self.blank + self.invalid + self.enqueued
            and self.enqueued == settled + self.waiting
            and min(self.lines_read, self.enqueued, self.waiting) >= 0
        )


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was observed of one upload.

    orders: what its file held. requests: the API's log, in order of arrival. polls: its numbers at
    every poll; the last poll is the one that counts.
    """

    orders: Sequence[ExpectedOrder]
    requests: Sequence[Request]
    polls: Sequence[Numbers]

    @property
    def now(self) -> Numbers:
        """The upload's numbers at the last poll."""
        return self.polls[-1]

    def requests_by_line(self) -> dict[int, list[Request]]:
        """The requests of each order's line in order of arrival, known by their key."""
        lines = {order.idempotency_key: order.line for order in self.orders}
        by_line: dict[int, list[Request]] = {order.line: [] for order in self.orders}
        for request in self.requests:
            if request.idempotency_key in lines:
                by_line[lines[request.idempotency_key]].append(request)
        return by_line

    def repeats(self) -> list[Request]:
        """The requests whose order the API had accepted before, by idempotency key."""
        taken: set[str] = set()
        again: list[Request] = []
        for request in self.requests:
            if request.idempotency_key in taken:
                again.append(request)
            if request.is_accepted:
                taken.add(request.idempotency_key)
        return again


def expected_orders(upload: UploadId, lines: Mapping[int, bytes]) -> tuple[ExpectedOrder, ...]:
    """The orders of a JSON-lines file.

    lines: by line number, only the valid ones, each without its line ending.
    """
    return tuple(
        ExpectedOrder(
            line,
            json.loads(body)["order_id"],
            sha256(body).hexdigest(),
            idempotency_key(upload, line),
        )
        for line, body in sorted(lines.items())
    )


def requests_of_log(entries: Iterable[Mapping[str, Any]]) -> tuple[Request, ...]:
    """The sandbox API's log in order of arrival; entries as GET /_sandbox/requests has them."""
    requests = (
        Request(
            t=float(entry["t"]),
            method=entry["method"],
            order_id=entry["order_id"] or "",
            status=int(entry["status"]),
            idempotency_key=entry["idempotency_key"] or "",
            body_sha256=entry["body_sha256"],
        )
        for entry in entries
    )
    return tuple(sorted(requests, key=lambda request: request.t))


def numbers_of_status(upload: Mapping[str, Any]) -> Numbers:
    """The numbers of one entry of `uploads` in `orders status --json`."""
    return Numbers(**{name: int(upload[name]) for name in Numbers.__slots__})


def numbers_of_account(account: Account) -> Numbers:
    """The numbers of an upload in the ledger."""
    progress, tally = account.upload.progress, account.tally
    return Numbers(
        lines_read=account.lines_read,
        blank=progress.blank,
        invalid=progress.invalid,
        enqueued=account.enqueued,
        accepted=tally.accepted,
        refused=tally.refused,
        cancelled=tally.cancelled,
        missing=tally.missing,
        waiting=account.waiting,
    )
