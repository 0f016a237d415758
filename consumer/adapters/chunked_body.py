"""A body in chunks, of an answer that is still arriving."""

import re

# At most 16 digits; extensions are ignored, and blanks, with which some servers fill up a size.
# Source: RFC 9112 section 7.1.
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*+(?:;[^\r\n]*+)?+\r?\n")
_LINE_ENDS = (b"\n", b"\r\n")


class ChunkedBody:
    """Takes chunk by chunk out of what was received.

    place: how far it got. is_whole: the last chunk and the empty line behind the trailer came.
    is_broken: what came is no chunk.
    """

    def __init__(self, place: int) -> None:
        self.place = place
        self.content = bytearray()
        self.is_whole = False
        self.is_broken = False
        self._is_in_trailer = False

    def read(self, received: bytes | bytearray, *, bound: int) -> None:
        """Take what is complete; stops once there are more than `bound` bytes of content."""
        while not (self.is_whole or self.is_broken or len(self.content) > bound):
            line_end = received.find(b"\n", self.place) + 1
            if line_end == 0:
                return
            if self._is_in_trailer:
                self.is_whole = received[self.place : line_end] in _LINE_ENDS
                self.place = line_end
            elif not self._take_chunk(received, line_end):
                return

    def _take_chunk(self, received: bytes | bytearray, line_end: int) -> bool:
        """Take the chunk whose size line ends there; False where not all of it has come."""
        size = _SIZE.fullmatch(received, self.place, line_end)
        if size is None:
            self.is_broken = True
            return False
        chunk_bytes = int(size[1], 16)
        if chunk_bytes == 0:
            self._is_in_trailer = True
            self.place = line_end
            return True
        chunk_end = line_end + chunk_bytes
        ending = bytes(received[chunk_end : chunk_end + 2])
        if ending in {b"", b"\r"}:
            return False
        if not ending.startswith(_LINE_ENDS):
            self.is_broken = True
            return False
        self.content += received[line_end:chunk_end]
        self.place = chunk_end + (1 if ending.startswith(b"\n") else 2)
        return True
