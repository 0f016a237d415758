"""The pace and the history, each a row with one JSON text that is replaced as a whole.

One text costs little to read and write, and its floats are read exactly as written.
"""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter

from ledger.dynamodb.row import names_its_row
from ledger.dynamodb.schema import key
from ledger.dynamodb.table import OnTable
from ledger.pace.history import History
from ledger.pace.pace import Pace

if TYPE_CHECKING:
    from ledger.dynamodb.row import Row

Document = TypeVar("Document", Pace, History)

# Fields missing from older items take their defaults; fields that only a later release knows are
# dropped.
_PACE = TypeAdapter(Pace)
_HISTORY = TypeAdapter(History)


class DynamoDocuments(OnTable):
    """A PaceStore and a HistoryStore."""

    def read_pace(self) -> Pace:
        return self._read("pace", _PACE) or Pace()

    def swap_pace(self, old: Pace, new: Pace) -> bool:
        """See PaceStore.swap_pace.

        The revision is unchanged, so the fence tokens are those of `old`: a process that was
        superseded gets no turn.
        """
        return self._swap("pace", _PACE, old, new)

    def read_history(self) -> History:
        return self._read("history", _HISTORY) or History()

    def swap_history(self, old: History, new: History) -> bool:
        return self._swap("history", _HISTORY, old, new)

    def _read(self, name: str, adapter: TypeAdapter[Document]) -> Document | None:
        @names_its_row
        def parse(row: Row) -> Document:
            return adapter.validate_json(str(row["value"]))

        row = self._table.get(key(name, name))
        return parse(row) if row else None

    def _swap(
        self, name: str, adapter: TypeAdapter[Document], old: Document, new: Document
    ) -> bool:
        new = replace(new, revision=old.revision + 1)
        writer = token_hex(8)
        value = adapter.dump_json(new, exclude_defaults=True).decode()
        row = key(name, name) | {"value": value, "revision": new.revision, "writer": writer}
        if old.revision:
            # revision holds while nobody has written since the value was read.
            failed = self._table.put(row, condition="revision = :seen", seen={"seen": old.revision})
        else:
            failed = self._table.add(row)
        # Where the answer was lost, botocore's second try of this very write is refused by its
        # first.
        return failed is None or bool(failed.row and failed.row["writer"] == writer)
