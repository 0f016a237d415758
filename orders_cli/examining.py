"""Is everything in place, and if not, what is to be done?

Every examination ends in a finding; one that fails says so and the others go on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import requests

from ledger.advice import action_beside_reason
from ledger.report import StatusReport
from ledger.sending_status import SendingState
from orders_cli.failures import AwsUnreachable, failure_of
from orders_cli.headline import sending_sentence, shortfall_sentence
from orders_cli.opening import Opened
from orders_cli.phrases import count, duration

METRICS_SECONDS = 3.0
SHORT_RUNWAY_SHARE = 0.25
"""Below this part of the retention, the runway is worth a warning."""


class Grade(StrEnum):
    """How serious a finding is."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing, as a sentence with what to do.

    is_unreachable: it is bad because AWS is out of reach.
    """

    thing: str
    grade: Grade
    sentence: str
    is_unreachable: bool = False


def examine(opened: Opened) -> Iterator[Finding]:
    """Look at everything that the command can reach, one after the other."""
    for thing, examination in _EXAMINATIONS.items():
        try:
            grade, sentence = examination(opened)
        except Exception as error:
            failure = failure_of(error)
            if failure is None:
                raise
            unreachable = isinstance(failure, AwsUnreachable)
            yield Finding(thing, Grade.BAD, str(failure), is_unreachable=unreachable)
        else:
            yield Finding(thing, grade, sentence)


def _ledger(opened: Opened) -> tuple[Grade, str]:
    look = opened.look()
    return Grade.GOOD, f"{count(len(look.accounts), 'upload')} open or ended lately"


def _bucket(opened: Opened) -> tuple[Grade, str]:
    bucket = opened.settings.require("bucket")
    status = opened.s3.get_bucket_versioning(Bucket=bucket).get("Status")
    if status != "Enabled":
        return Grade.BAD, f"{bucket} keeps no versions; switch versioning on"
    return Grade.GOOD, f"{bucket} keeps versions"


def _stream(opened: Opened) -> tuple[Grade, str]:
    name = opened.settings.stream
    if name is None:
        return Grade.WARNING, "ORDERS_STREAM is not set, so the stream was not looked at"
    stream = opened.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    kept, believed = stream["RetentionPeriodHours"], opened.settings.retention_hours
    shards = count(stream["OpenShardCount"], "shard")
    if kept != believed:
        return (
            Grade.WARNING,
            f"{name} keeps orders for {kept} hours, ORDERS_RETENTION_HOURS says {believed}",
        )
    return Grade.GOOD, f"{name} has {shards} and keeps orders for {duration(kept * 3600.0)}"


def _intake(opened: Opened) -> tuple[Grade, str]:
    settings = opened.settings
    if not settings.intake_dead_letter_url and not settings.intake_queue_url:
        return Grade.WARNING, "ORDERS_INTAKE_QUEUE_URL is not set, so it was not looked at"
    letters = opened.intake_dead_letters()
    if letters:
        return Grade.BAD, f"{count(len(letters), 'event')} could not be read; see `orders status`"
    return Grade.GOOD, "no event lies in its dead-letter queue"


def _sending(opened: Opened) -> tuple[Grade, str]:
    report = opened.report()
    if report.sending.state is SendingState.RUNNING:
        grade, sentence = _runway(report, opened.settings.retention_hours)
        shortfall = shortfall_sentence(report)
        if not shortfall:
            return grade, sentence
        return (Grade.WARNING if grade is Grade.GOOD else grade), f"{sentence}; {shortfall}"
    sending = report.sending
    bad = sending.state is SendingState.BLOCKED or not sending.has_worker
    grade = Grade.BAD if bad else Grade.WARNING
    action = action_beside_reason(sending.cause)
    sentence = sending_sentence(sending, now=report.at)
    return grade, f"{sentence}; {action}" if action else sentence


def _runway(report: StatusReport, retention_hours: int) -> tuple[Grade, str]:
    left = report.backlog.runway_seconds
    if left is None:
        return Grade.GOOD, "nothing stands in the way, and no order waits"
    needed = report.estimate.seconds or 0.0
    sentence = f"the oldest of {count(report.backlog.waiting, 'order')} expires in {duration(left)}"
    if left < needed:
        return Grade.BAD, f"{sentence}, before all are sent: raise retention or pace"
    if left < SHORT_RUNWAY_SHARE * retention_hours * 3600:
        return Grade.WARNING, sentence
    return Grade.GOOD, sentence


def _consumer(opened: Opened) -> tuple[Grade, str]:
    url = opened.settings.metrics_url
    if url is None:
        return Grade.WARNING, "ORDERS_METRICS_URL is not set, so the consumer was not asked"
    ready = url.removesuffix("/metrics") + "/readyz"
    try:
        answer = requests.get(ready, timeout=METRICS_SECONDS)
    except requests.RequestException as error:
        return Grade.BAD, f"nobody answers at {ready} ({type(error).__name__}): is it running?"
    if not answer.ok:
        return Grade.BAD, f"{ready} says {answer.status_code}: {answer.text.strip()[:300]}"
    return Grade.GOOD, f"{ready} says that it is ready"


_EXAMINATIONS: dict[str, Callable[[Opened], tuple[Grade, str]]] = {
    "ledger": _ledger,
    "bucket": _bucket,
    "stream": _stream,
    "intake": _intake,
    "sending": _sending,
    "consumer": _consumer,
}
