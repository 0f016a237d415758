"""How is the history of the pace kept in DynamoDB?"""

from __future__ import annotations

from dataclasses import replace

from pydantic import TypeAdapter

from ledger.dynamodb.swap import read_json, swap_json
from ledger.dynamodb.table import OnTable
from ledger.history import History

NAME = "history"
_HISTORY = TypeAdapter(History)


class DynamoHistory(OnTable):
    """A HistoryStore."""

    def read_history(self) -> History:
        """See HistoryStore.read_history."""
        return read_json(self._table, NAME, _HISTORY.validate_json) or History()

    def swap_history(self, old: History, new: History) -> bool:
        """See HistoryStore.swap_history."""
        revision = old.revision + 1
        value = _dumped(replace(new, revision=revision))
        return swap_json(self._table, NAME, value, seen=old.revision, revision=revision)


def _dumped(history: History) -> str:
    """As JSON without what is as it is by default: the item is written every ten seconds."""
    return _HISTORY.dump_json(history, exclude_defaults=True).decode()
