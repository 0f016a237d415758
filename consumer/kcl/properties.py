"""The files that the KCL daemon reads at its start.

properties/consumer.properties holds what is the same everywhere; this adds what depends on the
deployment, and the script that the daemon runs for each shard.
"""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
FIXED_PROPERTIES = PROJECT_FOLDER / "properties" / "consumer.properties"
LOGBACK = PROJECT_FOLDER / "properties" / "logback.xml"
SHARD_MODULE = "consumer.kcl.shard"
SHARD_SCRIPT = "shard"
RENDERED = "kcl.properties"


@dataclass(frozen=True, slots=True)
class DaemonPlace:
    """What depends on the deployment. `endpoint_url` None: AWS itself."""

    stream: str
    lease_table: str
    kcl_worker_id: str
    region: str
    endpoint_url: str | None


def kcl_worker_id(worker_id: str, number: int) -> str:
    """The KCL workerId: the leaseOwner of the leases that worker `number` holds.

    It is the same at each start, because a new name waits over two minutes for the old one's
    leases.
    """
    return f"{worker_id}-{number}"


def properties_text(place: DaemonPlace, fixed: str) -> str:
    """The properties file, `fixed` first. Raises ValueError for a value of two lines."""
    rows = {
        # The daemon runs in the run folder and splits this at spaces only: no quoting exists.
        "executableName": f"/bin/sh {SHARD_SCRIPT}",
        "streamName": place.stream,
        # KCL names its tables by it: the lease table, and two that begin with its name.
        "applicationName": place.lease_table,
        "workerId": place.kcl_worker_id,
        "regionName": place.region,
        # KCL's default for a new application is LATEST: orders enqueued before it would be lost.
        "initialPositionInStream": "TRIM_HORIZON",
    }
    if place.endpoint_url:
        for name in ("kinesisEndpoint", "dynamoDBEndpoint", "cloudWatchClient.endpointOverride"):
            rows[name] = place.endpoint_url
    added = "".join(f"{name} = {_value(value)}\n" for name, value in rows.items())
    return f"{fixed.rstrip()}\n\n# --- this deployment ---\n{added}"


def shard_script_text(module: str = SHARD_MODULE) -> str:
    """The shell script that becomes a shard process, with the daemon's environment."""
    folder, python = shlex.quote(str(PROJECT_FOLDER)), shlex.quote(sys.executable)
    return f"cd {folder} || exit 1\nexec {python} -m {module}\n"


def render(place: DaemonPlace, run_folder: Path, *, module: str = SHARD_MODULE) -> Path:
    """Write both files into the run folder; returns the path of the properties."""
    (run_folder / SHARD_SCRIPT).write_text(shard_script_text(module), encoding="utf-8")
    rendered = run_folder / RENDERED
    fixed = FIXED_PROPERTIES.read_text(encoding="utf-8")
    rendered.write_text(properties_text(place, fixed), encoding="utf-8")
    return rendered


def _value(value: str) -> str:
    if "\n" in value or "\r" in value:
        raise ValueError(f"{value!r} is not a value of one line")
    return value.replace("\\", "\\\\")
