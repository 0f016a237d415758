"""How is the pace kept in DynamoDB?"""

from __future__ import annotations

from dataclasses import replace

from pydantic import TypeAdapter

from ledger.dynamodb.swap import read_json, swap_json
from ledger.dynamodb.table import OnTable
from ledger.pace.pace import Pace

NAME = "pace"
# Parts that an older release wrote not have their defaults; those of a newer one are dropped.
_PACE = TypeAdapter(Pace)


class DynamoPace(OnTable):
    """A PaceStore."""

    def read_pace(self) -> Pace:
        """See PaceStore.read_pace."""
        return read_json(self._table, NAME, _PACE.validate_json) or Pace()

    def swap_pace(self, old: Pace, new: Pace) -> bool:
        """See PaceStore.swap_pace.

        The revision is unchanged, so the fence tokens are those of `old`: a process that was
        superseded gets no turn.
        """
        revision = old.revision + 1
        value = _PACE.dump_json(replace(new, revision=revision)).decode()
        return swap_json(self._table, NAME, value, seen=old.revision, revision=revision)
