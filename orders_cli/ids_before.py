"""Which order ids of a local file does an upload have whose orders were sent or will be?

By the hashes that the producer keeps in the bucket: two ids may share one by chance.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ledger.id_search import other_uploads, search_ids
from ledger.ports.uploads import UploadLedger
from orders.id_hashes import Hashes, id_hashes
from orders.id_parts import ID_PREFIX
from orders.parsed_lines import ParsedLines
from orders_cli.quantities import count
from orders_cli.repeated_lines import REPEATS_SHOWN
from producer_lambda.id_part_store import S3IdParts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NOT_ALLOWED = frozenset({"AccessDenied", "AllAccessDisabled"})


class NotCompared(Exception):
    """The caller may not read the hashes; the message is a sentence."""


def sent_before_sentences(
    ledger: UploadLedger,
    client: "S3Client",
    bucket: str,
    read: Callable[[], Iterable[ParsedLines]],
    *,
    key: str,
) -> Iterator[str]:
    """What a person is told of ids that other uploads have. Raises NotCompared.

    read: reads the file from its beginning; called once, and again where there is something to
    tell. key: of the upload to be, which says what it corrects.
    """
    store = S3IdParts(client, bucket)
    try:
        parts = store.id_parts()
        if not parts:
            return
        own = _hashes(read())
        others = other_uploads(ledger, store, parts, key=key)
        found, samples = search_ids(lambda: [own], len(own), others)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NOT_ALLOWED:
            raise
        raise NotCompared(
            "The order ids were not compared with earlier uploads: listing the bucket, or reading "
            f"{ID_PREFIX} in it, is not allowed."
        ) from error
    if found.sent_before:
        for line, order_id in islice(_lines(read(), samples), REPEATS_SHOWN):
            yield f"Line {line} has the order id {order_id!r}, which an earlier upload has."
        yield (
            f"Also in upload {', '.join(found.sent_by)}: "
            f"{count(found.sent_before, 'order id')} of this file, to be sent once more."
        )


def _hashes(parts: Iterable[ParsedLines]) -> Hashes:
    """The hashes of all orders: eight bytes an order."""
    hashes = array("Q")
    for lines in parts:
        hashes.extend(id_hashes(lines.order_ids))
    return hashes


def _lines(parts: Iterable[ParsedLines], hashes: frozenset[int]) -> Iterator[tuple[int, str]]:
    for lines in parts:
        hashed = id_hashes(lines.order_ids)
        if not hashes.isdisjoint(hashed):
            for line, order_id, one in zip(lines.numbers, lines.order_ids, hashed, strict=True):
                if one in hashes:
                    yield line, order_id
