"""Which requests did the API receive, and how was each answered?"""

import json
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from threading import Lock
from typing import BinaryIO, NamedTuple

DEFAULT_CAPACITY = 2_000_000
_PART_LINES = 2_000
_TRIM_PART = 20  # the log is trimmed by a twentieth at a time, for each trim moves the whole list


class LogEntry(NamedTuple):
    """One request: `t` is its arrival in monotonic seconds, `status` 0 where none was sent."""

    t: float
    method: str
    path: str
    order_id: str | None
    status: int
    idempotency_key: str | None
    body_sha256: str
    order_ids: tuple[str, ...] | None = None

    def json_line(self) -> bytes:
        """The entry as one line of JSON, line ending included; `order_ids` only of a batch."""
        fields = self._asdict()
        if self.order_ids is None:
            del fields["order_ids"]
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


@dataclass(slots=True)
class RequestLog:
    """Entries in order of arrival, each added once its request has ended.

    They are kept as rendered lines: millions of small objects would make the garbage collector
    stop the clock that this log exists to read. Beyond `capacity` the oldest leave and `dropped`
    counts them. With `file`, each line is appended there too, in the order in which requests end.
    """

    capacity: int = DEFAULT_CAPACITY
    file: BinaryIO | None = None
    dropped: int = 0
    _lines: list[bytes] = field(default_factory=list)
    _arrivals: "array[float]" = field(default_factory=lambda: array("d"))
    _lock: Lock = field(default_factory=Lock)

    def add(self, entry: LogEntry) -> None:
        """Add a request that has ended."""
        line = entry.json_line()
        with self._lock:
            if len(self._lines) >= self.capacity:
                leaving = max(1, self.capacity // _TRIM_PART)
                del self._lines[:leaving]
                del self._arrivals[:leaving]
                self.dropped += leaving
            place = bisect_right(self._arrivals, entry.t)
            self._lines.insert(place, line)
            self._arrivals.insert(place, entry.t)
            if self.file is not None:
                self.file.write(line)

    def lines(self) -> bytearray:
        """All entries as JSON lines; made in parts, between which other threads run."""
        with self._lock:
            lines = self._lines.copy()
        text = bytearray()
        for first in range(0, len(lines), _PART_LINES):
            text += b"".join(lines[first : first + _PART_LINES])
        return text
