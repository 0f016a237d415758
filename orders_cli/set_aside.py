"""Whether an order can still be set aside.

The request stays in the pace item until a worker reaches that order; for an order that no worker
will reach it would stay there for good.
"""

from ledger.ports.dead_letters import DeadLetters
from ledger.uploads.closing import is_at_its_end
from ledger.uploads.dead_letter import position_of_line
from ledger.uploads.lane import Lane
from ledger.uploads.upload import Account, Upload
from orders_cli.failures import UsageWrong
from orders_cli.quantities import count


def check_can_set_aside(account: Account, line: int | None, letters: DeadLetters) -> None:
    """Raise UsageWrong where an order can no longer be set aside. line: None for the first one."""
    upload = account.upload
    if not upload.listed_open:
        raise UsageWrong(
            f"Upload {upload.id} has ended ({upload.state.value}): nothing of it is waiting."
        )
    if line is None:
        return
    if upload.read_complete and line > upload.progress.line:
        read = count(upload.progress.line, "line")
        raise UsageWrong(f"Upload {upload.id} has no line {line}: its reading ended after {read}.")
    is_refused = letters.read_dead_letter(upload.id, position_of_line(line)) is not None
    if is_refused or _is_settled(account, line):
        raise UsageWrong(f"Line {line} of upload {upload.id} is settled already.")


def _is_settled(account: Account, line: int) -> bool:
    """Is the line settled in every lane? Its own lane follows from the unknown order id."""
    return bool(account.lanes) and all(
        _has_passed(account.upload, lane, line) for lane in account.lanes
    )


def _has_passed(upload: Upload, lane: Lane, line: int) -> bool:
    if lane.is_settled(line):
        return True
    # An end marker before the end of reading may be in the middle of the lane.
    is_over = upload.read_complete and is_at_its_end(upload, lane)
    return is_over and not lane.is_missing(line)
