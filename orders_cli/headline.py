"""How is it put for people what is left, when it is done, and what stands in the way?"""

from dataclasses import replace

from ledger.advice import action_beside_reason
from ledger.finish import Basis, Estimate
from ledger.report import Backlog, PaceReport, PaceSource, StatusReport
from ledger.sending_status import SendingState, SendingStatus
from orders.rate import Rate
from orders_cli.phrases import count, duration, moment, per_second

BELOW_TARGET = "PaceBelowTarget in docs/operations.md says where to look"


def headline(report: StatusReport) -> list[tuple[str, str]]:
    """The lines at the top of the status: name and sentence."""
    action = action_beside_reason(report.sending.cause)
    lines = [
        ("sending", sending_sentence(report.sending, now=report.at)),
        *([("to do", action)] if action else []),
        ("pace", pace_sentence(_told(report))),
        ("waiting", waiting_sentence(report)),
    ]
    warning = shortfall_sentence(report)
    if warning:
        lines.append(("warning", warning))
    if report.backlog.runway_seconds is not None:
        left = duration(report.backlog.runway_seconds)
        lines.append(("runway", f"the oldest of them leaves the stream in {left}"))
    return lines


def sending_sentence(sending: SendingStatus, *, now: float) -> str:
    """Whether sending goes on; if not, why, since when, and until when."""
    state = sending.state.value
    sentence = sending.reason if sending.reason.startswith(state) else f"{state}: {sending.reason}"
    if not sending.reason:
        return state
    if sending.since is not None:
        ago = duration(max(0.0, now - sending.since))
        sentence += f"; since {moment(sending.since)} ({ago})"
    if sending.state is SendingState.PAUSED:
        sentence += f", until {_end(sending.until, 'orders resume')}"
    return sentence


def pace_sentence(pace: PaceReport) -> str:
    """The pace as it should be and who says so, and as it was."""
    if pace.source is PaceSource.UNSET:
        target = "not set"
    else:
        target = f"{Rate(pace.target_per_second)} ({_source(pace)})"
    if pace.achieved_per_second is None or pace.measured_seconds is None:
        return target
    achieved, seconds = per_second(pace.achieved_per_second), duration(pace.measured_seconds)
    return f"{target}, {achieved} over the last {seconds}"


def waiting_sentence(report: StatusReport) -> str:
    """What is left, and when it is done."""
    backlog, estimate = report.backlog, report.estimate
    left = _left(backlog, estimate)
    if estimate.seconds is None:
        why = report.sending.state.value
        is_told = estimate.reason == report.sending.reason
        sentence = f"{left}; nobody can say until when"
        sentence += f" while sending is {why}" if is_told else f": {estimate.reason}"
    elif not estimate.seconds:
        sentence = left
    else:
        end = moment(report.at + estimate.seconds)
        about = _about(estimate)
        sentence = f"{left}, for {about}{duration(estimate.seconds)}, until {about}{end}"
        if estimate.basis is Basis.ACHIEVED:
            sentence += f", at the {per_second(estimate.per_second)} achieved"
    if backlog.cancelling:
        sentence += f"; besides, {count(backlog.cancelling, 'order')} still to settle as cancelled"
    return sentence


def shortfall_sentence(report: StatusReport) -> str:
    """That less is achieved than is set; empty where the pace is kept."""
    target, estimate = report.pace.target_per_second, report.estimate
    if target is None or estimate.basis is not Basis.ACHIEVED or not estimate.per_second:
        return ""
    share = estimate.per_second / target
    return (
        f"only {per_second(estimate.per_second)} of the {Rate(target)} is achieved ({share:.0%}), "
        f"and the finish date reckons with that; {BELOW_TARGET}"
    )


def _told(report: StatusReport) -> PaceReport:
    """The pace, without the nothing that is achieved where nothing waits."""
    is_idle = not report.backlog.waiting and not report.pace.achieved_per_second
    return replace(report.pace, achieved_per_second=None) if is_idle else report.pace


def _source(pace: PaceReport) -> str:
    override = pace.override
    if override is None:
        return pace.source.value
    why = f": {override.reason}" if override.reason else ""
    end = _end(override.until, "orders pace default")
    return f"{pace.source.value} by {override.by} until {end}{why}"


def _end(until: float | None, command: str) -> str:
    return f"`{command}`" if until is None else moment(until)


def _left(backlog: Backlog, estimate: Estimate) -> str:
    waiting = count(backlog.waiting, "order") if backlog.waiting else "nothing"
    if estimate.unread:
        return f"{waiting} yet, and about {count(estimate.unread, 'order')} still to be read"
    if estimate.is_lower_bound:
        return f"{waiting} yet, and an upload of unknown size is still to be read"
    return waiting


def _about(estimate: Estimate) -> str:
    if estimate.is_lower_bound:
        return "at least "
    return "about " if estimate.unread else ""
