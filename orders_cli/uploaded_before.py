"""Were the orders of a local file uploaded before, or does it have an order id twice?"""

from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.s3.transfer import TransferConfig

from ledger.earlier_upload import find_same_bytes, same_bytes_clause
from ledger.uploads.duplicate import Duplicates
from ledger.uploads.upload import Source
from orders.repeated_ids import repeated_ids
from orders_cli.failures import UsageWrong
from orders_cli.ids_before import NotCompared, sent_before_sentences
from orders_cli.local_file import local_opener
from orders_cli.output import say
from orders_cli.repeated_lines import parts_of, repeat_sentences

if TYPE_CHECKING:
    from orders_cli.aws import Aws

_PARTS_MAX = 10_000
_PARTS = TransferConfig()
"""How boto3 divides a large file, unless it is told otherwise."""


def check_duplicates(aws: "Aws", file: Path, key: str) -> None:
    """Warn of orders that would be sent twice, or raise UsageWrong where the setting refuses them.

    key: under which the file would be stored. A file that cannot be read to its end is not looked
    at further: as an upload, its account says why.
    """
    if aws.settings.duplicates is Duplicates.ALLOW:
        return
    found = list(_duplicates(aws, file, key))
    for sentence in found:
        say(sentence)
    if found and aws.settings.duplicates is Duplicates.REFUSE:
        raise UsageWrong(
            "ORDERS_DUPLICATES=refuse keeps orders from being sent twice;",
            hint="add --again to upload the file all the same.",
        )


def _duplicates(aws: "Aws", file: Path, key: str) -> Iterator[str]:
    limits = aws.settings.reading_limits
    source = Source("", file.name, "", expected_etag(file), file.stat().st_size)
    earlier = find_same_bytes(aws.ledger, source)
    if earlier:
        clause = same_bytes_clause(earlier)
        yield f"{clause[0].upper()}{clause[1:]}: its orders would be sent once more."
    yield from repeat_sentences(repeated_ids(lambda: parts_of(file, limits)))
    if earlier:
        return  # which has all of the ids
    bucket = aws.settings.require("bucket")
    try:
        yield from sent_before_sentences(
            aws.ledger, aws.s3, bucket, lambda: parts_of(file, limits), key=key
        )
    except NotCompared as reason:
        say(f"{reason}")


def expected_etag(file: Path) -> str:
    """The ETag that S3 gives the file when this command stores it; empty where it is too large.

    Source: MD5 of the bytes; in parts, MD5 of the parts' MD5s, and their number.
    """
    part_bytes = _PARTS.multipart_chunksize
    size_bytes = file.stat().st_size
    if size_bytes > _PARTS_MAX * part_bytes:
        return ""
    whole = md5(usedforsecurity=False)
    if size_bytes < _PARTS.multipart_threshold:
        for chunk in local_opener(file)(0):
            whole.update(chunk)
        return whole.hexdigest()
    parts = 0
    with file.open("rb") as content:
        while part := content.read(part_bytes):
            whole.update(md5(part, usedforsecurity=False).digest())
            parts += 1
    return f"{whole.hexdigest()}-{parts}"
