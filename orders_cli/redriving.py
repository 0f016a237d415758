"""How are refused orders sent again, each once, even if somebody is interrupted?

    plan     an object `redrives/<upload>.json`, made only where none is: key and positions
    file     an object under the upload prefix, made only where none is; it is a new upload
    announce its row in the ledger, linked both ways
    mark     every letter of the plan names the new upload
    forget   the plan is removed

Whoever is interrupted leaves the plan, and the next redrive of that upload ends it: every step
changes nothing where it was done before. Two people at once work on one plan.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.ports.dead_letters import UNREADABLE, DeadLetter, DeadLetters
from ledger.ports.uploads import UploadKind, UploadLedger
from orders.file_reading import ReadingLimits
from orders.upload import UploadId
from orders_cli.failures import CommandFailed
from orders_cli.source_lines import bodies_of
from orders_cli.storage import Storage, Stored

PLANS = "redrives/"
MOST_LETTERS = 1_000_000


class RedriveLedger(UploadLedger, DeadLetters, Protocol):
    """What of the ledger a redrive needs."""


@dataclass(frozen=True, slots=True)
class Redriven:
    """An upload's dead letters, on their way again as another upload."""

    upload: UploadId
    redriven_as: UploadId
    key: str
    orders: int


@dataclass(frozen=True, slots=True)
class _Plan:
    key: str
    positions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Redriver:
    """Sends dead letters again. limits: how the producer reads, for what only the source has."""

    ledger: RedriveLedger
    storage: Storage
    limits: ReadingLimits

    def waiting(self) -> list[UploadId]:
        """The uploads with letters that were not sent again, or with a plan that was not ended."""
        letters = self.ledger.dead_letters(limit=MOST_LETTERS)
        found = {letter.upload for letter in letters if _is_sendable(letter)}
        planned = {
            UploadId(key.removeprefix(PLANS).removesuffix(".json"))
            for key in self.storage.keys(PLANS)
        }
        return sorted(found | planned)

    def redrive(self, upload: UploadId, *, key: str, now: float) -> Redriven | None:
        """Send an upload's dead letters again, in file order. None: there are none.

        key: for the new file, if no plan names one yet.
        """
        name = f"{PLANS}{upload}.json"
        found = self.storage.read_version(name)
        if found is None:
            letters = self.ledger.dead_letters(upload, limit=MOST_LETTERS)
            positions = [letter.position for letter in letters if _is_sendable(letter)]
            if not positions:
                return None
            self.storage.put_once(name, _plan_text(_Plan(key, tuple(positions))))
            found = self.storage.read_version(name)
        if found is None:
            return None
        text, stored = found
        redriven = self._carry_out(upload, _read_plan(text), now=now)
        self.storage.remove(stored)
        return redriven

    def _carry_out(self, upload: UploadId, plan: _Plan, *, now: float) -> Redriven:
        letters = [self._letter(upload, position) for position in plan.positions]
        self.storage.put_once(plan.key, self._file(upload, letters))
        stored = self.storage.find(plan.key)
        if stored is None:
            raise CommandFailed(f"{plan.key} was stored and is not there any more.")
        self._announce(upload, stored, now=now)
        for letter in letters:
            self.ledger.mark_redriven(letter, upload=stored.upload)
        return Redriven(upload, stored.upload, plan.key, len(letters))

    def _announce(self, upload: UploadId, stored: Stored, *, now: float) -> None:
        self.ledger.announce(stored.upload, stored.source, now=now, kind=UploadKind.REDRIVE)
        self.ledger.link(stored.upload, upload)
        self.ledger.link(upload, stored.upload)

    def _letter(self, upload: UploadId, position: str) -> DeadLetter:
        letter = self.ledger.read_dead_letter(upload, position)
        if letter is None:
            raise CommandFailed(
                f"The dead letter {upload}/{position} is gone from the ledger;",
                hint=f"remove {PLANS}{upload}.json from the bucket to begin anew.",
            )
        return letter

    def _file(self, upload: UploadId, letters: Sequence[DeadLetter]) -> bytes:
        """The bodies as JSON lines; those too large for the ledger come from the source."""
        missing = [letter.line for letter in letters if letter.body is None]
        looked_up: dict[int, bytes] = {}
        account = self.ledger.read_account(upload) if missing else None
        if account:
            source = account.upload.source
            open_at = self.storage.opener(source)
            looked_up = bodies_of(open_at, source.key, self.limits, missing)
        lines = [letter.body or looked_up.get(letter.line, b"") for letter in letters]
        if not all(lines):
            raise CommandFailed(
                f"An order of upload {upload} was too large for the ledger, and its file is gone."
            )
        return b"".join(line + b"\n" for line in lines)


def _is_sendable(letter: DeadLetter) -> bool:
    return letter.redriven_as is None and letter.upload != UNREADABLE


def _plan_text(plan: _Plan) -> bytes:
    return json.dumps({"key": plan.key, "positions": plan.positions}).encode()


def _read_plan(text: bytes) -> _Plan:
    fields = json.loads(text)
    return _Plan(fields["key"], tuple(fields["positions"]))
