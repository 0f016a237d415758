"""The answers as JSON.

Every document has `schema: 1` and follows a schema in orders_cli/schemas; fields may be added,
none is removed or changes its meaning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ledger.finish import Estimate
from ledger.pace.limits import NO_LIMITS
from ledger.report import PaceReport, StatusReport
from ledger.sending_status import SendingStatus
from ledger.uploads.dead_letter import DeadLetter, letter_state
from ledger.uploads.upload import Account
from orders.upload import UploadId
from orders_cli.costs import idle_month
from orders_cli.intake_dead_letters import IntakeDeadLetter
from orders_cli.overview import Overview
from orders_cli.status_text import counts

if TYPE_CHECKING:
    from orders_cli.checks import CheckResult
    from orders_cli.file_estimate import FileEstimate

SCHEMA = 1


def status_document(overview: Overview, dead_letters: Sequence[IntakeDeadLetter]) -> dict[str, Any]:
    """The answer of `orders status --json`."""
    reasons = {letter.upload: letter.reason for letter in dead_letters if letter.upload}
    uploads = [upload_fields(account, reasons) for account in overview.accounts]
    report = overview.report
    return {
        "schema": SCHEMA,
        "uploads": uploads,
        "waiting": report.backlog.waiting,
        "cancelling": report.backlog.cancelling,
        "pace": _pace_fields(report.pace),
        **_estimate_fields(report.estimate),
        "runway_seconds": report.backlog.runway_seconds,
        "sending": _sending_fields(report.sending),
        "intake_dead_letters": [asdict(letter) for letter in dead_letters],
    }


def pace_document(report: StatusReport) -> dict[str, Any]:
    """The answer of `orders pace --json`."""
    return document(pace=_pace_fields(report.pace), sending=_sending_fields(report.sending))


def document(**fields: object) -> dict[str, Any]:
    """An answer with the number of its schema."""
    return {"schema": SCHEMA, **fields}


def estimate_document(found: "FileEstimate") -> dict[str, Any]:
    """The answer of `orders estimate --json`."""
    return {
        "schema": SCHEMA,
        "orders": found.contents.orders,
        "invalid": found.contents.invalid,
        "blank": found.contents.blank,
        "ahead": found.ahead,
        "seconds": found.seconds,
        "retention_hours": found.retention_hours,
        "needed_retention_hours": found.needed_hours,
        "is_admitted": found.fits,
        "dollars": round(found.dollars, 4),
        "costs": [asdict(cost) for cost in found.costs],
        "idle_month_dollars": round(idle_month(found.retention_hours), 4),
        "waiting_in_lambda_dollars": round(found.lambda_dollars, 4),
    }


def doctor_document(results: Sequence["CheckResult"]) -> dict[str, Any]:
    """The answer of `orders doctor --json`."""
    return {
        "schema": SCHEMA,
        "findings": [
            {"thing": one.thing, "grade": one.grade.value, "sentence": one.sentence}
            for one in results
        ],
    }


def dead_letter_fields(letter: DeadLetter) -> dict[str, Any]:
    """One dead letter; `body` is text, null where it was too large to keep."""
    fields = asdict(letter) | {"state": letter_state(letter)}
    for internal in ("lane", "redrive_key"):
        fields.pop(internal)
    body = fields.pop("body")
    return fields | {"body": None if body is None else body.decode(errors="replace")}


def upload_fields(account: Account, reasons: Mapping[UploadId, str]) -> dict[str, Any]:
    """One upload of the status; its numbers always add up."""
    upload = account.upload
    return {
        "upload": upload.id,
        "key": upload.source.key,
        "state": upload.state.value,
        "reason": upload.reason or reasons.get(upload.id, ""),
        **counts(account),
        "open_dead_letters": account.open_letters,
        "is_cancelling": account.is_cancelling,
    }


def whole_upload_fields(account: Account) -> dict[str, Any]:
    """Everything about one upload."""
    upload = account.upload
    return upload_fields(account, {}) | {
        "kind": upload.kind.value,
        "bucket": upload.source.bucket,
        "version_id": upload.source.version_id,
        "size_bytes": upload.source.size_bytes,
        "created_at": upload.created_at,
        "ended_at": upload.ended_at,
        "linked": upload.linked,
        "duplicate_of": upload.duplicate_of,
        "repeated_ids": upload.id_repeats.in_file,
        "ids_sent_before": upload.id_repeats.sent_before,
        "ids_sent_by": list(upload.id_repeats.sent_by),
        "ids_compared_partly": upload.id_repeats.is_partial,
    }


def _pace_fields(pace: PaceReport) -> dict[str, Any]:
    limits = pace.item.limits if pace.item else NO_LIMITS
    return {
        "target_per_second": pace.target_per_second,
        "achieved_per_second": pace.achieved_per_second,
        "measured_seconds": pace.measured_seconds,
        "source": pace.source.value,
        "override": asdict(pace.override) if pace.override else None,
        "quotas": [
            {"quota": str(use.quota), "limit": use.quota.count, "used": use.used}
            for use in pace.quotas
        ],
        "hours": limits.hours or None,
        "time_zone": limits.time_zone if limits.is_set else None,
    }


def _estimate_fields(estimate: Estimate) -> dict[str, Any]:
    return {
        "eta_seconds": estimate.seconds,
        "eta_reason": None if estimate.seconds is not None else estimate.reason,
        "eta_basis": estimate.basis.value if estimate.basis else None,
        "eta_per_second": estimate.per_second,
        "eta_unread": estimate.unread,
        "eta_is_lower_bound": estimate.is_lower_bound,
    }


def _sending_fields(sending: SendingStatus) -> dict[str, Any]:
    return {
        "state": sending.state.value,
        "reason": sending.reason,
        "since": sending.since,
        "until": sending.until,
    }
