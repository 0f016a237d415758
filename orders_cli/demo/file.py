"""The file that the demo uploads."""

import json
from dataclasses import dataclass

from orders.upload import UploadId
from sandbox.judge.observations import ExpectedOrder, expected_orders

LINES = 40
BROKEN_LINE = 7
REFUSED_LINE = 11


@dataclass(frozen=True, slots=True)
class DemoFile:
    """The file's lines from 1; one is not an order, and one the API refuses."""

    lines: tuple[bytes, ...]

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        return b"".join(line + b"\n" for line in self.lines)

    @property
    def refused_id(self) -> str:
        """The id of the order that the API is told to refuse."""
        return str(json.loads(self.lines[REFUSED_LINE - 1])["order_id"])

    def orders(self, upload: UploadId) -> tuple[ExpectedOrder, ...]:
        """What the API must receive."""
        valid = {n: line for n, line in enumerate(self.lines, 1) if n != BROKEN_LINE}
        return expected_orders(upload, valid)


def demo_file() -> DemoFile:
    """Forty orders of a wholesaler; the quantity of one of them is a word."""
    return DemoFile(tuple(_line(number) for number in range(1, LINES + 1)))


def _line(number: int) -> bytes:
    quantity: int | str = "a dozen" if number == BROKEN_LINE else number % 5 + 1
    order = {
        "order_id": f"DEMO-{number:04d}",
        "customer_id": f"C-{number % 7:03d}",
        "sku": "TEA-EARL-GREY",
        "quantity": quantity,
        "unit_price": "4.95",
        "currency": "EUR",
    }
    return json.dumps(order, separators=(",", ":")).encode()
