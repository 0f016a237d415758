"""The acts of the demo, in order."""

import time
from dataclasses import dataclass, field

from consumer.worker.proc import live_process
from ledger.pace.change import change
from ledger.pace.turns import own
from orders.rate import Rate, parse_rate
from orders.upload import UploadId
from orders_cli.demo.file import DemoFile
from orders_cli.demo.stage import Stage
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


def play(stage: Stage, file: DemoFile) -> DemoHistory:
    """All acts after the sandbox is up. Raises DemoStuck where one does not end."""
    history = DemoHistory(rates=[(time.monotonic(), parse_rate(SLOW))])
    _upload(stage, file)
    _send(stage, history)
    _kill(stage, history)
    _take_over(stage, history)
    _change_pace(stage, history)
    _break_api(stage, history)
    _drain(stage)
    return history


def _upload(stage: Stage, file: DemoFile) -> None:
    tell = stage.narrator.tell
    stage.narrator.act("A file is uploaded, and the Lambda reads it")
    stage.api.add_fault(kind="status", status=REFUSAL, order_id=file.refused_id)
    tell(
        f"{len(file.lines)} lines: one of them is not an order, and the API will refuse "
        f"{file.refused_id} with {REFUSAL}"
    )
    path = stage.folder / "orders.jsonl"
    path.write_bytes(file.content)
    stage.upload = UploadId(stage.type("upload", str(path)).split()[1])
    stage.until("the Lambda to read the file", lambda _: stage.account().upload.read_complete)
    progress = stage.account().upload.progress
    tell(
        f"read: {progress.line} lines, {progress.invalid} invalid, {progress.enqueued} orders on "
        "the stream"
    )
    stage.narrator.quote(stage.type("uploads", "invalid", stage.upload))


def _send(stage: Stage, history: DemoHistory) -> None:
    stage.narrator.act(f"Orders are sent at {SLOW}: what the API sees")
    first = stage.until_accepted(1)
    history.busy.append((first, stage.until_accepted(_BEFORE_KILL)))


def _kill(stage: Stage, history: DemoHistory) -> None:
    tell = stage.narrator.tell
    stage.narrator.act("The whole consumer is killed at work, and comes back")
    accepted = stage.accepted()
    killed_at = time.monotonic()
    tell(f"SIGKILL to {_listed(stage.kill_consumer())}")
    history.kills += 1
    history.take_overs.append(TakeOver(killed_at, gone_at=time.monotonic()))
    back = stage.until_accepted(accepted + 1)
    tell(f"sending again {back - killed_at:.1f} s after the kill, from the checkpoint")
    tell(f"now running: {_listed(stage.consumer_pids())}")
    history.busy.append((back, stage.until_accepted(accepted + _AFTER_KILL)))


def _take_over(stage: Stage, history: DemoHistory) -> None:
    """Make another owner hold the shard in the ledger, as a second consumer's take-over would."""
    tell = stage.narrator.tell
    stage.narrator.act("Another owner takes the shard, and the old one must stop")
    entry = next(e for e in stage.sandbox.processes() if e.role == "shard" and e.shard)
    shard, accepted = str(entry.shard), stage.accepted()
    taken_at = time.monotonic()
    change(stage.ledger, lambda pace: own(pace, shard, INTRUDER, now=time.time()))
    tell(f"process {entry.pid} no longer owns {shard}, and does not know it")
    stage.until("the old owner to end", lambda _: not live_process(entry.pid))
    gone_at = time.monotonic()
    sent = sum(taken_at < request.t <= gone_at for request in stage.poll())
    tell(f"process {entry.pid} was gone after {gone_at - taken_at:.1f} s and had sent {sent} more")
    history.kills += 1
    history.take_overs.append(TakeOver(taken_at, gone_at=gone_at))
    back = stage.until_accepted(accepted + 1 + sent)
    tell(f"a new process owns the shard; sending again after {back - taken_at:.1f} s")
    history.busy.append((back, stage.until_accepted(accepted + sent + _AFTER_TAKE_OVER)))


def _change_pace(stage: Stage, history: DemoHistory) -> None:
    stage.narrator.act(f"The API takes {FAST} from now on, and the pace is changed while it sends")
    accepted = stage.accepted()
    stage.api.set_rate(FAST)
    history.rates.append((time.monotonic(), parse_rate(FAST)))
    stage.narrator.quote(stage.type("pace", FAST))
    stage.until_accepted(max(accepted, stage.accepted()) + _BEFORE_OUTAGE)


def _break_api(stage: Stage, history: DemoHistory) -> None:
    stage.narrator.act(f"The API is down for {OUTAGE_SECONDS:.0f} s")
    start = time.monotonic()
    stage.api.add_fault(kind="status", status=503, for_seconds=OUTAGE_SECONDS)
    outage = Outage(start, time.monotonic() + OUTAGE_SECONDS)
    history.outages.append(outage)
    back = stage.until(
        "an accepted order after the outage",
        lambda requests: next((r.t for r in requests if r.is_accepted and r.t >= outage.end), None),
    )
    stage.narrator.tell(f"sending again {back - outage.end:.1f} s after the API was back")


def _drain(stage: Stage) -> None:
    stage.narrator.act("The rest is sent")
    stage.until("the end of the upload", lambda _: not stage.account().upload.listed_open)
    stage.narrator.tell(f"the upload is {stage.account().upload.state.value}")
    stage.narrator.quote(stage.type("dead-letters", "list"))


def _listed(pids: dict[str, int]) -> str:
    return ", ".join(f"{role} {pid}" for role, pid in pids.items())
