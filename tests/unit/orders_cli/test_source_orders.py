import json
from collections.abc import Iterator

import pytest

from ledger.uploads.upload import Account
from orders.file_reading import ReadingLimits
from orders.outcome import Outcome
from orders_cli.failures import UsageWrong
from orders_cli.overview import Overview, find_account, read_overview
from orders_cli.source_orders import head_of, order_lines
from tests.unit.orders_cli.ledgers import FIRST, NOW, SECOND, Book

LIMITS = ReadingLimits()


def line(number: int) -> bytes:
    order = {"order_id": f"A-{number}", "customer_id": "c", "sku": "s", "quantity": 1}
    return json.dumps({**order, "unit_price": "1.5", "currency": "EUR"}).encode()


CONTENT = b"\n".join([b"broken", *(line(number) for number in range(2, 7))]) + b"\n"


def open_at(offset: int) -> Iterator[bytes]:
    yield CONTENT[offset:]


def account(book: Book) -> Account:
    found = book.ledger.read_account(FIRST)
    assert found is not None
    return found


def test_orders_are_looked_up_by_their_lines() -> None:
    orders = list(order_lines(open_at, "a.jsonl", LIMITS))

    assert [(order.line, order.order_id) for order in orders][:2] == [(2, "A-2"), (3, "A-3")]
    assert {order.line: order.body for order in orders}[3] == line(3)


def test_the_head_is_the_first_order_that_is_not_settled() -> None:
    book = Book()
    book.announce()
    book.read(enqueued=5, invalid=1)
    book.settle(first=2, count=2, outcome=Outcome.ACCEPTED)

    head = head_of(account(book), open_at, LIMITS)

    assert head is not None
    assert head.line == 4


def test_an_upload_that_is_settled_has_no_head() -> None:
    book = Book()
    book.announce()
    book.read(enqueued=5, invalid=1)
    book.settle(first=2, count=5, outcome=Outcome.ACCEPTED)

    assert head_of(account(book), open_at, LIMITS) is None


def test_an_upload_is_found_by_its_id_or_by_the_first_letters_of_it() -> None:
    book = Book()
    book.announce(FIRST)
    book.announce(SECOND)

    def now() -> Overview:
        return read_overview(book.ledger, retention_hours=24, now=NOW)

    assert find_account(book.ledger, FIRST, now).upload.id == FIRST
    assert find_account(book.ledger, "ABAB", now).upload.id == SECOND
    for text in ("ffff", "f" * 20):
        with pytest.raises(UsageWrong, match="There is no upload"):
            find_account(book.ledger, text, now)
    for text in ("aaa", ""):
        with pytest.raises(UsageWrong, match="at least 4 characters"):
            find_account(book.ledger, text, now)


def test_a_beginning_that_two_uploads_share_is_refused() -> None:
    book = Book()
    book.announce(FIRST)
    book.announce(type(FIRST)("aaaa" + "b" * 16))

    with pytest.raises(UsageWrong, match="2 upload ids start with"):
        find_account(
            book.ledger, "aaaa", lambda: read_overview(book.ledger, retention_hours=24, now=NOW)
        )
