"""All metrics: what is exported, docs/metrics.md, dashboards and rules are checked against it.

To add one that is read off state, that is, off what the ledger stores: its entry here, its value in
`gauges.py`; what only the difference between two looks shows is noticed in `ledger_watch.py`,
handed on in `snapshot.py`, and kept in a `Sample` (`ledger/pace/history.py`) if a restart must not
forget it. To add one that processes count: its entry here, an event in
`consumer/delivery/events.py` and the event's case in `sink.py`; attempts are observed by the
delivery's `Dispatcher`; outcomes of orders, with the API's status and the reason, by its
`OrdersInHand`. Each needs a panel in dashboards/backlog.json.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, by the name that Prometheus sees. `about` is a sentence or two for people.

    origin: read by the worker each second, from the ledger or elsewhere, and so the same after a
    restart; or counted by worker and shard processes, from 0 at the worker's start.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    origin: Literal["state", "process"]
    about: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _state(name: str, about: str, *labels: str) -> Metric:
    return Metric(name, "gauge", "state", about, labels)


def _counter(name: str, about: str, *labels: str) -> Metric:
    return Metric(name, "counter", "process", about, labels)


def _histogram(name: str, about: str, *buckets: float) -> Metric:
    return Metric(name, "histogram", "process", about, buckets=buckets)


BACKLOG = _state(
    "orders_backlog", "Orders in the stream that are still to be sent; cancelled ones are not."
)
BACKLOG_AGE = _state(
    "orders_backlog_age_seconds",
    "How long ago the oldest upload with waiting orders came; 0 where none waits.",
)
ETA = _state(
    "orders_eta_seconds",
    "Until no order waits any more, those still to be read included: at the pace that is set, or "
    "at the one achieved in the last minutes where that is lower. NaN while unknown (the status "
    "page and `orders status` say why).",
)
RUNWAY = _state(
    "orders_runway_seconds",
    "Until the oldest waiting order would leave the stream and be lost; +Inf where none waits.",
)
SETTLED = Metric(
    "orders_settled_total",
    "counter",
    "state",
    "Orders settled since the ledger was made, by outcome: accepted, refused, cancelled, missing.",
    ("outcome",),
)
ATTEMPTS = _counter(
    "orders_attempts_total",
    "HTTP requests that ended, by result: accepted, refused, conflict, unauthorized, throttled, "
    "unavailable.",
    "result",
)
ATTEMPT_SECONDS = _histogram(
    "orders_attempt_seconds",
    "How long attempts took.",
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
ATTEMPT_GAP = _histogram(
    "orders_attempt_gap_seconds",
    "From the start of one attempt to the start of the next of the same process.",
    *(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.198, 0.25, 0.5, 0.99, 1.01, 2.0),
    *(5.0, 10.0, 60.0, 600.0, 3600.0),
)
PACE_TARGET = _state(
    "orders_pace_target_per_second",
    "The pace that is set, in orders; +Inf for `none`, NaN where none is set.",
)
PACE_TURNS = _state(
    "orders_pace_turns_per_second",
    "The pace that is set, in requests, each of which carries a batch of orders or one.",
)
PACE_MARGIN = _state(
    "orders_pace_margin_seconds",
    "Extra time between two turns beyond the interval: learned from 429s to requests that arrived "
    "closer together than they were sent; 0 without any.",
)
QUOTA_LIMIT = _state(
    "orders_quota_limit", "The requests that each quota allows in its window.", "quota"
)
QUOTA_USED = _state(
    "orders_quota_used",
    "The requests that count in each quota's window now: turns that were reserved, retries "
    "included.",
    "quota",
)
PACE_ACHIEVED = _state(
    "orders_pace_achieved_per_second",
    "Orders accepted or refused per second in the last minute (or the last ten intervals of a slow "
    "pace), from the moment on at which orders began to wait.",
)
TURNS_WASTED = _counter(
    "orders_turns_wasted_total",
    "Turns that passed unused while an order waited and nothing blocked sending.",
)
WINDOW = Metric(
    "orders_window",
    "gauge",
    "process",
    "Orders that the shard processes keep in hand at once, all together.",
)
SENDING_STATE = _state(
    "orders_sending_state",
    "1 for the state that sending is in, 0 for the others: running, paused, held, blocked. Only "
    "the present state has a reason.",
    "state",
    "reason",
)
HELD_SECONDS = _counter(
    "orders_held_seconds_total",
    "Time that sending stood still, by reason: a hold's kind, paused or blocked; summed over shard "
    "processes.",
    "reason",
)
UPLOADS = _state(
    "orders_uploads", "Uploads that are open or ended in the last 30 days, by state.", "state"
)
INVALID = _state(
    "orders_invalid", "Lines that were no orders, in the uploads that `orders_uploads` counts."
)
MISSING = _state(
    "orders_missing",
    "Orders that were enqueued and never came out of the stream, in the uploads that "
    "`orders_uploads` counts.",
)
DEAD_LETTERS = _state(
    "orders_dead_letters",
    "Refused orders of the uploads that `orders_uploads` counts, without those that were "
    "sent again, dismissed or corrected.",
)
INTAKE_DEAD_LETTERS = _state(
    "orders_intake_dead_letters",
    "Messages in the intake's dead-letter queue: uploads that were never read. NaN where "
    "ORDERS_INTAKE_QUEUE_URL is not set or the queue does not answer.",
)
REPEATS_SKIPPED = _counter(
    "orders_repeats_skipped_total",
    "Records of orders that were settled or taken before, and so were not sent.",
)
CHECKPOINT_AGE = _state(
    "orders_checkpoint_age_seconds",
    "How old the oldest checkpoint of a shard with unsettled orders is; 0 where there is none.",
)
SHARDS = _state("orders_shards", "Shard processes that this worker has.")
DAEMON_RESTARTS = _counter(
    "orders_daemon_restarts_total", "Daemons that were started after the worker's first one."
)
LEASE_CHANGES = _counter(
    "orders_lease_changes_total", "Shards that this worker got or lost, its own restarts included."
)
WAITS_CAPPED = _counter(
    "orders_waits_capped_total",
    "Times that the API asked for a longer wait than is believed, or that the pace was reset.",
)
LEDGER_ERRORS = _counter(
    "orders_ledger_errors_total", "Calls of the ledger that failed and were made again."
)
CLOCK_SKEW = _state(
    "orders_clock_skew_seconds",
    "This machine's clock less DynamoDB's, as far as its Date header proves a difference.",
)
VIEW_AGE = _state(
    "orders_view_age_seconds",
    "How old the view of the ledger is that these figures come from.",
)
BUILD_INFO = _state("orders_build_info", "1, with the release as a label.", "version")

CATALOGUE = tuple(value for value in vars().values() if isinstance(value, Metric))
