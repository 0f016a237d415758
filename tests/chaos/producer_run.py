"""One run of the producer as a process of its own, on a stream that fails now and then.

    python producer_run.py UPLOAD SEED

goes on with an upload that the ledger knows. The settings are those of the Lambda.
"""

import random
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orders.aggregate import Aggregate
from orders.upload import UploadId
from producer_lambda import handler
from producer_lambda.intake import Continue
from producer_lambda.kinesis import KinesisStream
from producer_lambda.stream import StreamUnavailable

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

FAILING_ENTRIES = 0.05
LOST_ANSWERS = 0.03
SECONDS = 120.0


class FailingStream(KinesisStream):
    """Kinesis on a bad day: no emulator has one."""

    def __init__(self, client: "KinesisClient", name: str) -> None:
        super().__init__(client, name)
        self._chance = random.Random(int(sys.argv[2]))  # noqa: S311 - a test's dice

    def put(self, aggregates: Sequence[Aggregate]) -> Sequence[str | None]:
        """Fail some entries; let some calls take effect and lose their answer."""
        failing = [self._chance.random() < FAILING_ENTRIES for _ in aggregates]
        kept = [one for one, fails in zip(aggregates, failing, strict=True) if not fails]
        answers = iter(super().put(kept) if kept else [])
        if self._chance.random() < LOST_ANSWERS:
            raise StreamUnavailable("the answer was lost")
        return ["InternalFailure" if fails else next(answers) for fails in failing]


def main() -> None:
    """Run until the upload is read, handed on, or this process is killed."""
    setattr(handler, KinesisStream.__name__, FailingStream)
    handler.producer().run([Continue(UploadId(sys.argv[1]))], handler.deadline_of(SECONDS))


if __name__ == "__main__":
    main()
