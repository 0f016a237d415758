"""Why can an order not be set aside any more?

What is asked for stays in the pace until a worker comes to that order; of an order that no worker
comes to it would stay for ever.
"""

from ledger.ports.dead_letters import DeadLetters
from ledger.uploads.closing import is_at_its_end
from ledger.uploads.dead_letter import position_of_line
from ledger.uploads.lane import Lane
from ledger.uploads.upload import Account, Upload
from orders_cli.phrases import count


def why_not_set_aside(account: Account, line: int | None, letters: DeadLetters) -> str:
    """A sentence, empty where nothing is known against it. line: None for whichever is first."""
    upload = account.upload
    if not upload.listed_open:
        return f"Upload {upload.id} has ended ({upload.state.value}): nothing of it is waiting."
    if line is None:
        return ""
    if upload.read_complete and line > upload.progress.line:
        read = count(upload.progress.line, "line")
        return f"Upload {upload.id} has no line {line}: its reading ended after {read}."
    is_refused = letters.read_dead_letter(upload.id, position_of_line(line)) is not None
    if is_refused or _is_settled(account, line):
        return f"Line {line} of upload {upload.id} is settled already."
    return ""


def _is_settled(account: Account, line: int) -> bool:
    """Is the line settled whichever lane it is in? Its order's id, which tells that, is unknown."""
    return bool(account.lanes) and all(
        _has_passed(account.upload, lane, line) for lane in account.lanes
    )


def _has_passed(upload: Upload, lane: Lane, line: int) -> bool:
    if lane.is_settled(line):
        return True
    # An end marker before the reading has ended may lie in the middle of the lane.
    is_over = upload.read_complete and is_at_its_end(upload, lane)
    return is_over and not lane.is_missing(line)
