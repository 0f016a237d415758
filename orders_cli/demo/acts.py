"""What happens in the demo, one act after the other?"""

import time
from dataclasses import dataclass, field

from ledger.pace.change import change
from ledger.pace.turns import own
from orders.rate import Rate, parse_rate
from orders.upload import UploadId
from orders_cli.demo.file import DemoFile
from orders_cli.demo.stage import Stage, lives
from sandbox.judge.observations import Request
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

    busy: ranges in which every turn had to be used. kills: how often orders in flight may have
    been repeated.
    """

    rates: list[tuple[float, Rate]] = field(default_factory=list)
    busy: list[tuple[float, float]] = field(default_factory=list)
    kills: int = 0
    take_overs: list[TakeOver] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)


def play(stage: Stage, file: DemoFile) -> DemoHistory:
    """All acts after the sandbox is up. Raises DemoStuck where one does not come to its end."""
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
    stage.narrator.act("A file is uploaded, and the Lambda reads it")
    stage.api.add_fault(kind="status", status=REFUSAL, order_id=file.refused_id)
    stage.narrator.tell(
        f"{len(file.lines)} lines: one of them is no order, and the API will refuse "
        f"{file.refused_id} with {REFUSAL}"
    )
    path = stage.folder / "orders.jsonl"
    path.write_bytes(file.content)
    answer = stage.type("upload", str(path))
    stage.upload = UploadId(answer.split()[1])
    stage.until("the Lambda to read the file", lambda _: stage.account().upload.read_complete)
    progress = stage.account().upload.progress
    stage.narrator.tell(
        f"read: {progress.line} lines, {progress.invalid} invalid, {progress.enqueued} orders on "
        "the stream"
    )
    stage.narrator.line(f"          {stage.type('uploads', 'invalid', stage.upload)}")


def _send(stage: Stage, history: DemoHistory) -> None:
    stage.narrator.act(f"Orders are sent at {SLOW}: what the API sees")
    first = stage.until_accepted(1)
    last = stage.until_accepted(_BEFORE_KILL)
    history.busy.append((first, last))


def _kill(stage: Stage, history: DemoHistory) -> None:
    stage.narrator.act("The whole consumer is killed in the middle, and comes back")
    accepted = _accepted(stage)
    killed_at = time.monotonic()
    pids = stage.kill_consumer()
    named = ", ".join(f"{role} {pid}" for role, pid in pids.items())
    stage.narrator.tell(f"SIGKILL to {named}")
    history.kills += 1
    history.take_overs.append(TakeOver(killed_at, gone_at=time.monotonic()))
    back = stage.until_accepted(accepted + 1)
    stage.narrator.tell(
        f"sending again {back - killed_at:.1f} s after the kill, from the checkpoint"
    )
    now = ", ".join(f"{role} {pid}" for role, pid in stage.consumer_pids().items())
    stage.narrator.tell(f"now run {now}")
    last = stage.until_accepted(accepted + _AFTER_KILL)
    history.busy.append((back, last))


def _take_over(stage: Stage, history: DemoHistory) -> None:
    """Make the shard another's in the ledger, as a second consumer would that took it over."""
    stage.narrator.act("Another owner takes the shard, and the old one must stop")
    entry = next(e for e in stage.sandbox.processes() if e.role == "shard" and e.shard)
    shard, accepted = str(entry.shard), _accepted(stage)
    taken_at = time.monotonic()
    change(stage.ledger, lambda pace: own(pace, shard, INTRUDER, now=time.time()))
    stage.narrator.tell(f"{shard} is no longer that of process {entry.pid}, which does not know it")
    stage.until("the old owner to end", lambda _: not lives(entry.pid))
    gone_at = time.monotonic()
    sent = sum(taken_at < request.t <= gone_at for request in stage.look())
    stage.narrator.tell(
        f"process {entry.pid} was gone after {gone_at - taken_at:.1f} s and had sent {sent} more"
    )
    history.kills += 1
    history.take_overs.append(TakeOver(taken_at, gone_at=gone_at))
    back = stage.until_accepted(accepted + 1 + sent)
    stage.narrator.tell(
        f"a new process owns the shard; sending again after {back - taken_at:.1f} s"
    )
    last = stage.until_accepted(accepted + sent + _AFTER_TAKE_OVER)
    history.busy.append((back, last))


def _change_pace(stage: Stage, history: DemoHistory) -> None:
    stage.narrator.act(f"The API takes {FAST} from now on, and the pace is changed while it sends")
    accepted = _accepted(stage)
    stage.api.set_rate(FAST)
    history.rates.append((time.monotonic(), parse_rate(FAST)))
    stage.narrator.line(f"          {stage.type('pace', FAST)}")
    stage.until_accepted(max(accepted, _accepted(stage)) + _BEFORE_OUTAGE)


def _break_api(stage: Stage, history: DemoHistory) -> None:
    stage.narrator.act(f"The API is down for {OUTAGE_SECONDS:.0f} s")
    start = time.monotonic()
    stage.api.add_fault(kind="status", status=503, for_seconds=OUTAGE_SECONDS)
    outage = Outage(start, time.monotonic() + OUTAGE_SECONDS)
    history.outages.append(outage)

    def recovered(requests: tuple[Request, ...]) -> float | None:
        after = (r.t for r in requests if r.is_accepted and r.t >= outage.end)
        return next(after, None)

    back = stage.until("an accepted order after the outage", recovered)
    stage.narrator.tell(f"sending again {back - outage.end:.1f} s after the API was back")


def _drain(stage: Stage) -> None:
    stage.narrator.act("The rest is sent")
    stage.until("the end of the upload", lambda _: not stage.account().upload.listed_open)
    stage.narrator.tell(f"the upload is {stage.account().upload.state.value}")
    for line in stage.type("dead-letters", "list").splitlines():
        stage.narrator.line(f"          {line}")


def _accepted(stage: Stage) -> int:
    return sum(request.is_accepted for request in stage.look())
