"""The report of invalid lines for the owner of a file.

It is stored as JSON lines in the bucket, in parts: `<prefix><upload>/<start>-<end>.jsonl`, where
start and end are offsets into the plain text of the file. The name determines the content, so
writing a part again changes nothing. After a crash parts may overlap; readers deduplicate by line.
"""

import base64
import json
from collections.abc import Iterable, Iterator

from orders.parsed_lines import InvalidLine
from orders.upload import UploadId

_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def report_folder(prefix: str, upload: UploadId) -> str:
    """The common prefix of the keys of one upload's report."""
    return f"{prefix}{upload}/"


def report_key(prefix: str, upload: UploadId, *, start: int, end: int) -> str:
    """The key of one part; parts sort in file order."""
    return f"{report_folder(prefix, upload)}{start:015d}-{end:015d}.jsonl"


def write_report_part(lines: Iterable[InvalidLine]) -> bytes:
    """One JSON object per line: line, reason, raw.

    `raw_base64` is added where the raw bytes are not UTF-8 (`raw` then shows them escaped), and
    `is_cut` where only the beginning of a line was kept.
    """
    return b"".join(_to_json(_fields(one)).encode() + b"\n" for one in lines)


def read_report_parts(parts: Iterable[bytes]) -> Iterator[InvalidLine]:
    """The invalid lines of one upload, each line number once, in the order of the parts."""
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
            yield InvalidLine(line, str(fields["reason"]), raw, is_cut=bool(fields.get("is_cut")))


def _fields(one: InvalidLine) -> dict[str, object]:
    fields: dict[str, object] = {"line": one.line, "reason": one.reason}
    try:
        fields["raw"] = one.raw.decode()
    except UnicodeDecodeError:
        fields["raw"] = one.raw.decode(errors="backslashreplace")
        fields["raw_base64"] = base64.b64encode(one.raw).decode()
    if one.is_cut:
        fields["is_cut"] = True
    return fields
