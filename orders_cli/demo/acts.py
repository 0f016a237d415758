"""The acts of the demo, in order."""

import time
from dataclasses import dataclass, field

from consumer.worker.proc import live_process
from ledger.pace.change import change
from ledger.pace.turns import own
from orders.rate import Rate, parse_rate
from orders.upload import UploadId
from orders_cli.demo.demo_run import DemoRun
from orders_cli.demo.file import DemoFile
from sandbox.judge.outage import Outage
from sandbox.judge.sequence import TakeOver

SLOW, FAST = "1/s", "4/s"
OUTAGE_SECONDS = 3.0
REFUSAL = 422
INTRUDER = "an-owner-that-the-demo-made-up"

_BEFORE_KILL = 8
_AFTER_KILL = 5
_AFTER_TAKE_OVER = 4
_BEFORE_OUTAGE = 6


@dataclass(slots=True)
class DemoHistory:
    """What was done to the system, in seconds of the API's log, for the judge.

    busy: periods in which every turn had to be used. kills: how often orders in flight may have
    been repeated.
    """

    rates: list[tuple[float, Rate]] = field(default_factory=list)
    busy: list[tuple[float, float]] = field(default_factory=list)
    kills: int = 0
    take_overs: list[TakeOver] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)


def play_acts(run: DemoRun, file: DemoFile) -> DemoHistory:
    """All acts after the sandbox is up. Raises DemoStuck where one does not end."""
    history = DemoHistory(rates=[(time.monotonic(), parse_rate(SLOW))])
    _upload(run, file)
    _send(run, history)
    _kill(run, history)
    _take_over(run, history)
    _change_pace(run, history)
    _break_api(run, history)
    _drain(run)
    return history


def _upload(run: DemoRun, file: DemoFile) -> None:
    tell = run.narrator.tell
    run.narrator.act("A file is uploaded, and the Lambda reads it")
    run.api.add_fault(kind="status", status=REFUSAL, order_id=file.refused_id)
    tell(
        f"{len(file.lines)} lines: one of them is not an order, and the API will refuse "
        f"{file.refused_id} with {REFUSAL}"
    )
    path = run.folder / "orders.jsonl"
    path.write_bytes(file.content)
    run.upload = UploadId(run.type("upload", str(path)).split()[1])
    run.until("the Lambda to read the file", lambda _: run.account().upload.read_complete)
    progress = run.account().upload.progress
    tell(
        f"read: {progress.line} lines, {progress.invalid} invalid, {progress.enqueued} orders on "
        "the stream"
    )
    run.narrator.quote(run.type("uploads", "invalid", run.upload))


def _send(run: DemoRun, history: DemoHistory) -> None:
    run.narrator.act(f"Orders are sent at {SLOW}: what the API sees")
    first = run.until_accepted(1)
    history.busy.append((first, run.until_accepted(_BEFORE_KILL)))


def _kill(run: DemoRun, history: DemoHistory) -> None:
    tell = run.narrator.tell
    run.narrator.act("The whole consumer is killed at work, and comes back")
    accepted = run.accepted()
    killed_at = time.monotonic()
    tell(f"SIGKILL to {_listed(run.kill_consumer())}")
    history.kills += 1
    history.take_overs.append(TakeOver(killed_at, gone_at=time.monotonic()))
    back = run.until_accepted(accepted + 1)
    tell(f"sending again {back - killed_at:.1f} s after the kill, from the checkpoint")
    tell(f"now running: {_listed(run.consumer_pids())}")
    history.busy.append((back, run.until_accepted(accepted + _AFTER_KILL)))


def _take_over(run: DemoRun, history: DemoHistory) -> None:
    """Make another owner hold the shard in the ledger, as a second consumer's take-over would."""
    tell = run.narrator.tell
    run.narrator.act("Another owner takes the shard, and the old one must stop")
    entry = next(e for e in run.sandbox.processes() if e.role == "shard" and e.shard)
    shard, accepted = str(entry.shard), run.accepted()
    taken_at = time.monotonic()
    change(run.ledger, lambda pace: own(pace, shard, INTRUDER, now=time.time()))
    tell(f"process {entry.pid} no longer owns {shard}, and does not know it")
    run.until("the old owner to end", lambda _: not live_process(entry.pid))
    gone_at = time.monotonic()
    sent = sum(taken_at < request.t <= gone_at for request in run.poll())
    tell(f"process {entry.pid} was gone after {gone_at - taken_at:.1f} s and had sent {sent} more")
    history.kills += 1
    history.take_overs.append(TakeOver(taken_at, gone_at=gone_at))
    back = run.until_accepted(accepted + 1 + sent)
    tell(f"a new process owns the shard; sending again after {back - taken_at:.1f} s")
    history.busy.append((back, run.until_accepted(accepted + sent + _AFTER_TAKE_OVER)))


def _change_pace(run: DemoRun, history: DemoHistory) -> None:
    run.narrator.act(f"The API takes {FAST} from now on, and the pace is changed while it sends")
    accepted = run.accepted()
    run.api.set_rate(FAST)
    history.rates.append((time.monotonic(), parse_rate(FAST)))
    run.narrator.quote(run.type("pace", FAST))
    run.until_accepted(max(accepted, run.accepted()) + _BEFORE_OUTAGE)


def _break_api(run: DemoRun, history: DemoHistory) -> None:
    run.narrator.act(f"The API is down for {OUTAGE_SECONDS:.0f} s")
    start = time.monotonic()
    run.api.add_fault(kind="status", status=503, for_seconds=OUTAGE_SECONDS)
    outage = Outage(start, time.monotonic() + OUTAGE_SECONDS)
    history.outages.append(outage)
    back = run.until(
        "an accepted order after the outage",
        lambda requests: next((r.t for r in requests if r.is_accepted and r.t >= outage.end), None),
    )
    run.narrator.tell(f"sending again {back - outage.end:.1f} s after the API was back")


def _drain(run: DemoRun) -> None:
    run.narrator.act("The rest is sent")
    run.until("the end of the upload", lambda _: not run.account().upload.listed_open)
    run.narrator.tell(f"the upload is {run.account().upload.state.value}")
    run.narrator.quote(run.type("dead-letters", "list"))


def _listed(pids: dict[str, int]) -> str:
    return ", ".join(f"{role} {pid}" for role, pid in pids.items())
