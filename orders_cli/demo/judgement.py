"""The end of the demo: the numbers of ledger and API, and a verdict on each promise."""

from collections.abc import Sequence

from orders_cli.demo.acts import DemoHistory
from orders_cli.demo.file import DemoFile
from orders_cli.demo.narrator import Narrator
from orders_cli.output import aligned
from sandbox.api.gap import ALLOWANCE_OF_INTERVAL
from sandbox.judge.completeness import nothing_is_lost, repeats_are_bounded
from sandbox.judge.observations import Numbers, Observed
from sandbox.judge.outage import outage_costs_time_only
from sandbox.judge.sequence import old_owner_stops, order_is_kept
from sandbox.judge.spacing import pace_is_kept
from sandbox.judge.verdict import PromiseVerdict

# The judge sees arrivals, which differ a little from the starts that the promise is about, so it
# allows what the API itself allows.
API_GAP_SHARE = 1 - ALLOWANCE_OF_INTERVAL
LEAST_USED = 0.95
_REFUSALS = range(400, 500)


def judge(seen: Observed, history: DemoHistory, file: DemoFile) -> list[PromiseVerdict]:
    """A verdict on each promise, by the API's own log and the ledger's numbers."""
    return [
        nothing_is_lost(seen),
        repeats_are_bounded(seen, kills=history.kills),
        pace_is_kept(
            seen,
            rates=history.rates,
            busy=history.busy,
            gap_share=API_GAP_SHARE,
            least_used=LEAST_USED,
        ),
        order_is_kept(seen),
        outage_costs_time_only(seen, outages=history.outages, refused_for_good={file.refused_id}),
        old_owner_stops(seen, take_overs=history.take_overs),
    ]


def tell_end(narrator: Narrator, seen: Observed, verdicts: Sequence[PromiseVerdict]) -> bool:
    """Print it all; True where every promise was kept."""
    narrator.act("What the ledger says, and what the API received")
    narrator.quote("\n".join(aligned([("", "ledger", "API"), *_columns(seen)])))
    narrator.line()
    narrator.quote(_equation(seen.now))
    narrator.act("The promises, judged by the API's own log")
    for verdict in verdicts:
        word = "PASS" if verdict.is_kept else "FAIL"
        narrator.line(f"{f'{verdict.promise}. {verdict.name} ':.<60} {word}")
        narrator.quote("\n".join((verdict.evidence, *verdict.breaches)))
    return all(verdict.is_kept for verdict in verdicts)


def _columns(seen: Observed) -> list[tuple[str, str, str]]:
    by_line = seen.requests_by_line().values()
    accepted = sum(any(r.is_accepted for r in requests) for requests in by_line)
    refused = sum(bool(rs) and rs[-1].status in _REFUSALS for rs in by_line)
    now = seen.now
    return [
        ("orders", str(now.enqueued), str(sum(bool(requests) for requests in by_line))),
        ("accepted", str(now.accepted), str(accepted)),
        ("refused", str(now.refused), str(refused)),
        ("waiting", str(now.waiting), "-"),
        ("requests", "-", str(len(seen.requests))),
        ("repeats", "-", str(len(seen.repeats()))),
    ]


def _equation(now: Numbers) -> str:
    return (
        f"{now.lines_read} lines read = {now.blank} blank + {now.invalid} invalid + "
        f"{now.enqueued} enqueued\n"
        f"{now.enqueued} enqueued = {now.accepted} accepted + {now.refused} refused + "
        f"{now.cancelled} cancelled + {now.missing} missing + {now.waiting} waiting"
    )
