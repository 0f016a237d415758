"""Which requests did the API receive, and what became of each?"""

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import BinaryIO

DEFAULT_CAPACITY = 2_000_000
_TRIM_PART = 20  # the log is trimmed by a twentieth at a time, for each trim moves the whole list
_CHUNK_ENTRIES = 500
_READ_TOGETHER = 1_024  # as many as there may be connections


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
    _arrivals: "array[float]" = field(default_factory=lambda: array("d"))

    def open(self, arrived_at: float) -> int:
        """Take a place for a request that arrived at this time (monotonic seconds)."""
        if len(self._lines) >= self.capacity:
            leaving = max(1, self.capacity // _TRIM_PART)
            del self._lines[:leaving]
            del self._arrivals[:leaving]
            self.dropped += leaving
        self._lines.append(b"")
        self._arrivals.append(arrived_at)
        return self.dropped + len(self._lines) - 1

    def close(self, place: int, entry: LogEntry) -> None:
        """Fill a place. A request that outlived its place in a full log leaves no line."""
        line = entry.json_line()
        if place >= self.dropped:
            self._lines[place - self.dropped] = line
        if self.file is not None:
            self.file.write(line)

    def chunks(self) -> Iterator[bytes]:
        """What is visible now, in pieces small enough to be written between two requests.

        Requests are opened as they are read, connection by connection: those that were read
        together may have arrived in another order.
        """
        last = self.dropped + len(self._lines)
        place = self.dropped
        waiting: list[tuple[float, bytes]] = []
        while place < last:
            start = max(place, self.dropped) - self.dropped
            end = min(start + _CHUNK_ENTRIES, last - self.dropped)
            place = self.dropped + end
            waiting.extend(zip(self._arrivals[start:end], self._lines[start:end], strict=True))
            waiting.sort(key=itemgetter(0))
            ready = len(waiting) if place >= last else max(0, len(waiting) - _READ_TOGETHER)
            yield b"".join(line for _, line in waiting[:ready])
            del waiting[:ready]
