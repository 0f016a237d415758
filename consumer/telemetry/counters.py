"""How does a process count, so that the worker can export the sum over all processes?

prometheus_client keeps each process's numbers in files of PROMETHEUS_MULTIPROC_DIR. It decides so
while it is imported: import this module only once that variable is set.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values

from consumer.telemetry.catalogue import Metric

_PID = os.getpid()
# A process that counts never forks, so it need not ask the kernel who it is at each of five counts
# for each order.
values.ValueClass = values.MultiProcessValue(lambda: _PID)  # type: ignore[no-untyped-call]

# Never exported itself: what it holds is in the files, and the worker reads those of all processes.
_OF_THIS_PROCESS = CollectorRegistry()


def counter(metric: Metric) -> Counter:
    """A counter of this process. Once a process and metric."""
    return Counter(metric.name, metric.about, metric.labels, registry=_OF_THIS_PROCESS)


def histogram(metric: Metric) -> Histogram:
    """A histogram of this process. Once a process and metric."""
    return Histogram(
        metric.name,
        metric.about,
        metric.labels,
        buckets=metric.buckets,
        registry=_OF_THIS_PROCESS,
    )


def gauge(metric: Metric) -> Gauge:
    """A gauge, added up over living processes. Once a process and metric."""
    return Gauge(
        metric.name,
        metric.about,
        metric.labels,
        multiprocess_mode="livesum",
        registry=_OF_THIS_PROCESS,
    )
