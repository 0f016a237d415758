"""What sending costs: with the shipped templates, in an idle month, and by waiting in Lambda.

List prices of us-east-1, in US dollars, without free tiers and taxes; another region differs by up
to a half, the proportions stay. A test compares the task and the alarms with the templates.
"""

from dataclasses import dataclass

PRICES_OF = "list prices of us-east-1 in 2025, without free tiers and taxes"
MONTH_HOURS = 730.0

TASK_VCPU = 0.5
TASK_GIGABYTES = 1.0
ALARMS = 15
COMPOSITE_ALARMS = 1
WORKER_METRICS = 14
"""Written by the worker to its log, once a minute."""

WRITES_PER_ORDER = 3
"""A turn, a settle, a checkpoint; at high rates one of each serves many orders."""
READS_PER_ORDER = 3
"""What is to be sent and settled is read first, consistently."""
IDLE_WRITES_PER_MINUTE = 19
"""The worker's claim, a sample of the pace, the renewed leases; counted with one shard."""
IDLE_READS_PER_MINUTE = 480
"""Pace, pause and hold within a second, and the KCL's looks at its leases; counted, one shard."""
IDLE_LOG_GB_PER_MONTH = 0.05
"""Nearly all of it that line a minute, of 1 kB."""

_SHARD_HOUR = 0.015
_EXTENDED_SHARD_HOUR = 0.02  # retention from 24 hours to 7 days
_LONG_GB_MONTH = 0.023  # retention beyond 7 days
_PUT_UNIT = 0.014 / 1e6  # 25 kB put to the stream
_WRITE_UNIT = 0.625 / 1e6  # DynamoDB on demand, 1 kB
_READ_UNIT = 0.125 / 1e6  # 4 kB, consistent
_VCPU_HOUR = 0.04048
_GIGABYTE_HOUR = 0.004445
_LAMBDA_GB_SECOND = 0.0000166667
_ALARM_MONTH = 0.10
_COMPOSITE_ALARM_MONTH = 0.50
_METRIC_MONTH = 0.30
_SECRET_MONTH = 0.40
_LOG_GB = 0.50
_ADDRESS_HOUR = 0.005  # a public IPv4 address

_READ_PER_SECOND = 50_000
_LAMBDA_GB = 0.5
_PUT_UNIT_BYTES = 25_000
_DAY_HOURS = 24
_WEEK_HOURS = 7 * _DAY_HOURS


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars for one thing."""

    thing: str
    dollars: float


def standing_costs(hours: float, *, retention_hours: int) -> tuple[Cost, ...]:
    """What is paid for these hours whether orders wait or not: one shard, one task.

    A NAT gateway, or the endpoints of a network without one, are not counted: they are shared.
    """
    months, minutes = hours / MONTH_HOURS, hours * 60
    alarms = ALARMS * _ALARM_MONTH + COMPOSITE_ALARMS * _COMPOSITE_ALARM_MONTH
    monitoring = alarms + WORKER_METRICS * _METRIC_MONTH + IDLE_LOG_GB_PER_MONTH * _LOG_GB
    ledger = IDLE_WRITES_PER_MINUTE * _WRITE_UNIT + IDLE_READS_PER_MINUTE * _READ_UNIT
    task = TASK_VCPU * _VCPU_HOUR + TASK_GIGABYTES * _GIGABYTE_HOUR
    return (
        Cost(
            "stream (Kinesis, one shard)",
            hours * (_SHARD_HOUR + (retention_hours > _DAY_HOURS) * _EXTENDED_SHARD_HOUR),
        ),
        Cost("ledger (DynamoDB)", minutes * ledger),
        Cost(f"consumer (Fargate, {TASK_VCPU:g} vCPU, {TASK_GIGABYTES:g} GB)", hours * task),
        Cost("alarms, metrics, log", months * monitoring),
        Cost("secret, public address", months * _SECRET_MONTH + hours * _ADDRESS_HOUR),
    )


def sending_costs(
    *, orders: int, lines: int, stream_bytes: int, hours: float, retention_hours: int
) -> tuple[Cost, ...]:
    """What sending a file costs, with the standing costs of these hours."""
    stream, ledger, *others = standing_costs(hours, retention_hours=retention_hours)
    kept_months = max(0, retention_hours - _WEEK_HOURS) / MONTH_HOURS
    of_bytes = stream_bytes / 1e9 * kept_months * _LONG_GB_MONTH
    of_bytes += stream_bytes / _PUT_UNIT_BYTES * _PUT_UNIT
    of_orders = orders * (WRITES_PER_ORDER * _WRITE_UNIT + READS_PER_ORDER * _READ_UNIT)
    reading = lines / _READ_PER_SECOND * _LAMBDA_GB * _LAMBDA_GB_SECOND
    return (
        Cost(stream.thing, stream.dollars + of_bytes),
        Cost(ledger.thing, ledger.dollars + of_orders),
        *others,
        Cost("reading (Lambda)", reading),
    )


def idle_month(retention_hours: int) -> float:
    """US dollars for a month in which nothing is sent."""
    return sum(
        cost.dollars for cost in standing_costs(MONTH_HOURS, retention_hours=retention_hours)
    )


def waiting_in_lambda(hours: float) -> float:
    """US dollars for a function that waits between two sends for these hours, 15 minutes a run."""
    return hours * 3_600 * _LAMBDA_GB * _LAMBDA_GB_SECOND
