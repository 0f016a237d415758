"""The status page: what is left, when it will be done, and what stands in the way."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from consumer.telemetry.chart import HEIGHT, WIDTH, Chart, chart
from consumer.telemetry.health import Finding, all_fine
from consumer.telemetry.snapshot import Snapshot
from consumer.telemetry.wording import pace_text, rough_duration, thousands, utc_minute
from ledger.advice import advice_on
from ledger.finish import Basis
from ledger.report import StatusReport
from ledger.sending_status import SendingState
from ledger.uploads.upload import Account, UploadState

TEMPLATES = Path(__file__).parent / "templates"
UPLOADS_SHOWN = 50
NEAR_SECONDS = 7 * 86_400.0
"""A runway below this is an obstacle."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way, and what to do."""

    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template shows; it has the words and escapes what they are about."""

    snapshot: Snapshot
    is_fine: bool
    obstacles: tuple[Obstacle, ...]
    chart: Chart | None

    @property
    def api_limits(self) -> str:
        """What the API told about its limits, by the first shard process that heard of any."""
        told = (shard.api_limits for shard in self.snapshot.shards)
        return next(filter(None, told), "")

    def render(self) -> str:
        """The page as HTML."""
        return _TEMPLATE.render(
            page=self,
            snapshot=self.snapshot,
            status=self.snapshot.ledger and self.snapshot.ledger.status,
            shown=UPLOADS_SHOWN,
            width=WIDTH,
            height=HEIGHT,
        )


def make_page(snapshot: Snapshot, findings: list[Finding]) -> Page:
    """The page for a snapshot; `findings` are those of liveness and readiness."""
    obstacles, picture = [], None
    if snapshot.ledger:
        status = snapshot.ledger.status
        obstacles = _obstacles(status)
        target = status.pace.target_per_second
        picture = chart(snapshot.ledger.samples, target_per_second=target, now=status.at)
    obstacles += [
        Obstacle(f"{finding.name}: {finding.says}.", "See docs/operations.md.")
        for finding in findings
        if not finding.is_fine and finding.name != "sending"
    ]
    return Page(snapshot, all_fine(findings) and not obstacles, tuple(obstacles), picture)


def percent_settled(account: Account) -> int:
    """The share of an upload's orders that is settled, in whole percent."""
    upload = account.upload
    orders = max(account.enqueued, upload.estimate if upload.state is UploadState.READING else 0)
    if not orders:
        return 0 if upload.listed_open else 100
    return min(100, 100 * account.tally.settled // orders)


def _obstacles(status: StatusReport) -> list[Obstacle]:
    found = []
    sending = status.sending
    if sending.state is not SendingState.RUNNING:
        times = f", since {utc_minute(sending.since)}" if sending.since is not None else ""
        times += f", until {utc_minute(sending.until)}" if sending.until is not None else ""
        what = f"Sending is {sending.state.value}: {sending.reason}{times}."
        action = advice_on(sending.cause).action
        found.append(Obstacle(what, f"{action[:1].upper()}{action[1:]}."))
    target, achieved = status.pace.target_per_second, status.estimate.per_second
    if target is not None and status.estimate.basis is Basis.ACHIEVED and achieved:
        share = f"{achieved / target:.0%}"
        what = f"Only {pace_text(achieved)} of the {pace_text(target)} is achieved ({share})."
        found.append(Obstacle(what, "PaceBelowTarget in docs/operations.md says where to look."))
    runway, eta = status.backlog.runway_seconds, status.estimate.seconds
    if runway is not None and (runway < NEAR_SECONDS or (eta or 0.0) > runway):
        what = f"Orders will be lost in {rough_duration(runway)} unless they are sent before."
        found.append(Obstacle(what, "Raise the pace, or raise the stream's retention now."))
    return found


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {
    "duration": rough_duration,
    "moment": utc_minute,
    "pace": pace_text,
    "percent_settled": percent_settled,
    "thousands": thousands,
    "unquote": unquote,
}
_TEMPLATE = _ENVIRONMENT.get_template("status.html.j2")
