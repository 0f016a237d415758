"""One run of the producer as a process of its own, on a stream that fails now and then.

    python producer_run.py UPLOAD SEED

goes on with an upload that the ledger knows. The settings are those of the Lambda.
"""

import random
import sys
from typing import TYPE_CHECKING

from orders.aggregate import Aggregate
from orders.upload import UploadId
from producer_lambda import handler
from producer_lambda.kinesis import KinesisStream
from producer_lambda.stream import OrderingRefused, StreamThrottled, StreamUnavailable
from producer_lambda.upload_requests import UploadRequest

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

FAILING_PUTS = 0.05
LOST_ANSWERS = 0.03
REFUSED_NUMBERS = 0.02
SECONDS = 120.0


class FailingStream(KinesisStream):
    """Kinesis on a bad day: no emulator has one."""

    def __init__(self, client: "KinesisClient", name: str) -> None:
        super().__init__(client, name)
        self._chance = random.Random(int(sys.argv[2]))  # noqa: S311 - a test's dice

    def put(self, aggregate: Aggregate, *, after: str) -> str:
        """Throttle or fail some puts; let some take effect and lose their answer."""
        fails, is_lost, is_refused = (self._chance.random() for _ in range(3))
        if fails < FAILING_PUTS:
            raise StreamThrottled("too fast") if is_lost < 1 / 2 else StreamUnavailable("failed")
        if after and is_refused < REFUSED_NUMBERS:
            raise OrderingRefused("the number is invalid")
        number = super().put(aggregate, after=after)
        if is_lost < LOST_ANSWERS:
            raise StreamUnavailable("the answer was lost")
        return number


def main() -> None:
    """Run until the upload is read, handed on, or this process is killed."""
    setattr(handler, KinesisStream.__name__, FailingStream)
    handler.producer().run([UploadRequest(UploadId(sys.argv[1]))], handler.deadline_of(SECONDS))


if __name__ == "__main__":
    main()
