"""How are lines that are no order reported to the file's owner?

As JSON lines in the bucket, in parts: `<prefix><upload>/<start>-<end>.jsonl`, where start and end
are offsets into the plain text of the file. What a part holds follows from its name, so writing it
again changes nothing. After a crash parts may overlap: a line number is reported once.
"""

import base64
import json
from collections.abc import Iterable, Iterator

from orders.batch import Rejected
from orders.upload import UploadId

_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def report_folder(prefix: str, upload: UploadId) -> str:
    """What the keys of all parts of one upload's report begin with."""
    return f"{prefix}{upload}/"


def report_key(prefix: str, upload: UploadId, *, start: int, end: int) -> str:
    """The key of one part; parts sort in file order."""
    return f"{report_folder(prefix, upload)}{start:015d}-{end:015d}.jsonl"


def write_part(rejected: Iterable[Rejected]) -> bytes:
    """One JSON object a line: line, reason, raw.

    `raw_base64` is added where the raw bytes are no UTF-8 (`raw` then shows them escaped), and
    `is_cut` where only the beginning of a line was kept.
    """
    return b"".join(_to_json(_fields(one)).encode() + b"\n" for one in rejected)


def read_parts(parts: Iterable[bytes]) -> Iterator[Rejected]:
    """The rejected lines of the parts of one upload, each line number once, in the parts' order."""
    seen: set[int] = set()
    for part in parts:
        for text in part.splitlines():
            fields = json.loads(text)
            line = int(fields["line"])
            if line in seen:
                continue
            seen.add(line)
            encoded = fields.get("raw_base64")
            raw = base64.b64decode(encoded) if encoded else str(fields["raw"]).encode()
            yield Rejected(line, str(fields["reason"]), raw, is_cut=bool(fields.get("is_cut")))


def _fields(one: Rejected) -> dict[str, object]:
    fields: dict[str, object] = {"line": one.line, "reason": one.reason}
    try:
        fields["raw"] = one.raw.decode()
    except UnicodeDecodeError:
        fields["raw"] = one.raw.decode(errors="backslashreplace")
        fields["raw_base64"] = base64.b64encode(one.raw).decode()
    if one.is_cut:
        fields["is_cut"] = True
    return fields
