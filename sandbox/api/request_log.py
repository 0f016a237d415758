"""Which requests did the API receive, and what became of each?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

DEFAULT_CAPACITY = 2_000_000
_TRIM_PART = 20  # the log is trimmed by a twentieth at a time, for each trim moves the whole list
_CHUNK_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request: `t` is its arrival in monotonic seconds, `status` 0 where none was sent."""

    t: float
    method: str
    path: str
    order_id: str | None
    status: int
    idempotency_key: str | None
    body_sha256: str

    def json_line(self) -> bytes:
        """The entry as one line of JSON, line ending included."""
        fields = {
            "t": self.t,
            "method": self.method,
            "path": self.path,
            "order_id": self.order_id,
            "status": self.status,
            "idempotency_key": self.idempotency_key,
            "body_sha256": self.body_sha256,
        }
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


@dataclass(slots=True)
class RequestLog:
    """Entries in order of arrival, each visible once its request has ended.

    They are kept as rendered lines: millions of small objects would make the garbage collector
    stop the clock that this log exists to read. Beyond `capacity` the oldest leave and `dropped`
    counts them. With `file`, each line is appended there too, in order of ending.
    """

    capacity: int = DEFAULT_CAPACITY
    file: BinaryIO | None = None
    dropped: int = 0
    _lines: list[bytes] = field(default_factory=list)

    def open(self) -> int:
        """Take the next place in the order of arrival."""
        if len(self._lines) >= self.capacity:
            leaving = max(1, self.capacity // _TRIM_PART)
            del self._lines[:leaving]
            self.dropped += leaving
        self._lines.append(b"")
        return self.dropped + len(self._lines) - 1

    def close(self, place: int, entry: LogEntry) -> None:
        """Fill a place. A request that outlived its place in a full log leaves no line."""
        line = entry.json_line()
        if place >= self.dropped:
            self._lines[place - self.dropped] = line
        if self.file is not None:
            self.file.write(line)

    def chunks(self) -> Iterator[bytes]:
        """What is visible now, in pieces small enough to be written between two requests."""
        last = self.dropped + len(self._lines)
        place = self.dropped
        while place < last:
            start = max(place, self.dropped) - self.dropped
            place = min(max(place, self.dropped) + _CHUNK_ENTRIES, last)
            yield b"".join(self._lines[start : place - self.dropped])
