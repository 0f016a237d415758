"""How long does the stream keep an order? The stream itself knows, and is asked now and then."""

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

RETENTION_LOOK_SECONDS = 300.0
UNKNOWN_HOURS = 2160
"""The template's default: assumed until the stream has answered once."""

log = logging.getLogger(__name__)


class StreamRetention:
    """The retention, as it was told or as the stream last said. One thread uses it."""

    def __init__(self, kinesis: "KinesisClient", stream: str, *, told_hours: int | None) -> None:
        """`told_hours` is a setting, which is right whatever the stream says."""
        self._kinesis = kinesis
        self._stream = stream
        self._is_told = told_hours is not None
        self._hours = told_hours or UNKNOWN_HOURS
        self._asked_at: float | None = None
        self._is_warned = False

    def seconds(self, now: float) -> float:
        """The retention; asks the stream if its last answer is old. `now` is monotonic."""
        is_due = self._asked_at is None or now - self._asked_at >= RETENTION_LOOK_SECONDS
        if is_due and not self._is_told:
            self._asked_at = now
            self._ask()
        return self._hours * 3600.0

    def _ask(self) -> None:
        try:
            answer = self._kinesis.describe_stream_summary(StreamName=self._stream)
        except (BotoCoreError, ClientError) as error:
            if not self._is_warned:
                log.warning(
                    "the stream does not say how long it keeps orders, so %d hours are assumed "
                    "for the runway; set ORDERS_RETENTION_HOURS if that is wrong: %s",
                    self._hours,
                    error,
                )
            self._is_warned = True
        else:
            self._hours = answer["StreamDescriptionSummary"]["RetentionPeriodHours"]
            self._is_warned = False
