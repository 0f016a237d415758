"""The checks of `orders doctor`: each gives a result, and one that fails does not stop the rest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import requests

from consumer.kcl.lease_table import (
    BeingMade,
    ForeignTable,
    IndexOfNoStatus,
    LeaseTable,
    Missing,
    Usable,
    WithoutIndex,
)
from ledger.advice import action_beside_reason
from ledger.report import StatusReport
from ledger.sending_status import SendingState
from orders_cli.aws import CLIENT_CONFIG, Aws
from orders_cli.bucket import without_versions
from orders_cli.failures import AwsUnreachable, failure_of
from orders_cli.quantities import count, duration
from orders_cli.status_text import sending_sentence, shortfall_sentence

METRICS_SECONDS = 3.0
SHORT_RUNWAY_SHARE = 0.25
"""A runway below this share of the retention gives a warning."""


class Grade(StrEnum):
    """How serious a result is."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result for one thing, as a sentence with what to do.

    is_unreachable: it is bad because AWS is unreachable.
    """

    thing: str
    grade: Grade
    sentence: str
    is_unreachable: bool = False


def run_checks(aws: Aws) -> Iterator[CheckResult]:
    """Check everything that the command can reach, one after the other."""
    for thing, check in _CHECKS.items():
        try:
            grade, sentence = check(aws)
        except Exception as error:
            failure = failure_of(error)
            if failure is None:
                raise
            unreachable = isinstance(failure, AwsUnreachable)
            yield CheckResult(thing, Grade.BAD, str(failure), is_unreachable=unreachable)
        else:
            yield CheckResult(thing, grade, sentence)


def _ledger(aws: Aws) -> tuple[Grade, str]:
    overview = aws.overview()
    return Grade.GOOD, f"{count(len(overview.accounts), 'upload')} open or ended lately"


def _bucket(aws: Aws) -> tuple[Grade, str]:
    if not aws.bucket.keeps_versions():
        raise without_versions(aws.bucket.name)
    return Grade.GOOD, f"{aws.bucket.name} keeps versions"


def _stream(aws: Aws) -> tuple[Grade, str]:
    name = aws.settings.stream
    if name is None:
        return Grade.WARNING, "ORDERS_STREAM is not set, so the stream was not checked"
    kinesis = aws.session.client("kinesis", config=CLIENT_CONFIG)
    stream = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    kept, believed = stream["RetentionPeriodHours"], aws.settings.retention_hours
    shards = count(stream["OpenShardCount"], "shard")
    if kept != believed:
        return (
            Grade.WARNING,
            f"{name} keeps orders for {kept} hours, ORDERS_RETENTION_HOURS says {believed}",
        )
    return Grade.GOOD, f"{name} has {shards} and keeps orders for {duration(kept * 3600.0)}"


def _leases(aws: Aws) -> tuple[Grade, str]:
    name = aws.settings.lease_table_name
    if not name:
        return Grade.WARNING, "ORDERS_LEASE_TABLE is not set, so the lease table was not checked"
    client = aws.session.client("dynamodb", config=CLIENT_CONFIG)
    try:
        state = LeaseTable(client, name).look()
    except ForeignTable as error:
        return Grade.BAD, str(error).rstrip(".")
    match state:
        case Missing():
            return Grade.WARNING, f"there is no table {name} yet; a worker makes it at its start"
        case BeingMade(what):
            return Grade.WARNING, f"{what}; workers wait until it is ACTIVE"
        case WithoutIndex() | IndexOfNoStatus():
            return Grade.WARNING, f"{name} has no index by owner yet; a worker makes it"
        case Usable():
            return Grade.GOOD, f"{name} and its index are ready"


def _intake(aws: Aws) -> tuple[Grade, str]:
    settings = aws.settings
    if not settings.intake_dead_letter_url and not settings.intake_queue_url:
        return Grade.WARNING, "ORDERS_INTAKE_QUEUE_URL is not set, so it was not checked"
    letters = aws.intake_dead_letters()
    if letters:
        return Grade.BAD, f"{count(len(letters), 'event')} could not be read; see `orders status`"
    return Grade.GOOD, "its dead-letter queue is empty"


def _sending(aws: Aws) -> tuple[Grade, str]:
    report = aws.report()
    if report.sending.state is SendingState.RUNNING:
        grade, sentence = _runway(report, aws.settings.retention_hours)
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
        return Grade.GOOD, "nothing stands in the way, and no order is waiting"
    needed = report.estimate.seconds or 0.0
    sentence = f"the oldest of {count(report.backlog.waiting, 'order')} expires in {duration(left)}"
    if left < needed:
        return Grade.BAD, f"{sentence}, before all are sent: raise retention or pace"
    if left < SHORT_RUNWAY_SHARE * retention_hours * 3600:
        return Grade.WARNING, sentence
    return Grade.GOOD, sentence


def _consumer(aws: Aws) -> tuple[Grade, str]:
    url = aws.settings.metrics_url
    if url is None:
        return Grade.WARNING, "ORDERS_METRICS_URL is not set, so the consumer was not checked"
    ready = url.removesuffix("/metrics") + "/readyz"
    try:
        answer = requests.get(ready, timeout=METRICS_SECONDS)
    except requests.RequestException as error:
        return Grade.BAD, f"{ready} does not answer ({type(error).__name__}): is it running?"
    if not answer.ok:
        return Grade.BAD, f"{ready} says {answer.status_code}: {answer.text.strip()[:300]}"
    return Grade.GOOD, f"{ready} says it is ready"


_CHECKS: dict[str, Callable[[Aws], tuple[Grade, str]]] = {
    "ledger": _ledger,
    "bucket": _bucket,
    "stream": _stream,
    "leases": _leases,
    "intake": _intake,
    "sending": _sending,
    "consumer": _consumer,
}
