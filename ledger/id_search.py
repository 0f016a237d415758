"""Which order ids of an upload repeat, and which did another upload have?

By hashes (`orders.id_hashes`), in bounded memory: a range of the upload's own hashes is held as a
set, and the parts of the other uploads pass by it, one after the other.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Protocol

from ledger.ports.uploads import UploadLedger
from ledger.uploads.duplicate import was_sent
from ledger.uploads.id_repeats import SENT_BY_MAX, IdRepeats
from orders.id_hashes import Hashes, hash_ranges, hashes_between
from orders.id_parts import IdPart
from orders.upload import UploadId
from orders.upload_keys import resent_by

SAMPLES = 1_000


class IdPartStore(Protocol):
    """Where the order ids of uploads are kept, as hashes."""

    def put_id_part(self, part: IdPart, content: bytes) -> None:
        """Store a part; idempotent."""

    def id_parts(self) -> Sequence[IdPart]:
        """All parts of all uploads, those stored last first."""

    def read_id_parts(self, parts: Sequence[IdPart]) -> Iterator[Hashes]:
        """The hashes of each part in turn; none of one that is gone."""


@dataclass(frozen=True, slots=True)
class OtherUploads:
    """The uploads to compare with.

    parts: of all of them. counts: do an upload's orders count as sent? Asked only where ids are
    the same.
    """

    store: IdPartStore
    parts: Sequence[IdPart]
    counts: Callable[[UploadId], bool]

    def shared(
        self, known: set[int], start: int, below: int
    ) -> Iterator[tuple[UploadId, set[int]]]:
        """Of each part its upload, and which hashes in a range are `known` and count as sent."""
        if known:
            read = self.store.read_id_parts(self.parts)
            for part, hashes in zip(self.parts, read, strict=True):
                hits = known.intersection(hashes_between(hashes, start, below))
                yield part.upload, hits if hits and self.counts(part.upload) else set()


def other_uploads(
    ledger: UploadLedger,
    store: IdPartStore,
    parts: Iterable[IdPart],
    *,
    key: str,
    own: UploadId | None = None,
) -> OtherUploads:
    """The uploads with which the orders under a key are compared, of those that have `parts`.

    Those that it corrects, or that were sent again from the same ones, do not count. own: the
    upload under that key, None where it is not stored yet.
    """
    origin = _origin(ledger, resent_by(key)) or own

    @cache
    def counts(upload: UploadId) -> bool:
        account = ledger.read_account(upload)
        return bool(account and was_sent(account) and _origin(ledger, upload) != origin)

    return OtherUploads(store, [part for part in parts if part.upload != own], counts)


def search_ids(
    own: Callable[[], Iterable[Hashes]],
    orders: int,
    others: OtherUploads,
    *,
    has_time: Callable[[], bool] = lambda: True,
) -> tuple[IdRepeats, frozenset[int]]:
    """Look for the ids of an upload in itself and in others.

    own: its hashes, in parts; read once for every million orders. Returns with what was
    found a sample of the hashes that others have.
    """
    in_file = sent_before = 0
    sent_by: dict[UploadId, None] = {}
    samples: set[int] = set()
    is_partial = False
    for start, below in hash_ranges(orders):
        seen, known, found = 0, set[int](), set[int]()
        for part in own():
            within = hashes_between(part, start, below)
            seen += len(within)
            known.update(within)
        in_file += seen - len(known)
        for upload, hits in others.shared(known, start, below):
            found |= hits
            if hits:
                sent_by[upload] = None
            is_partial = not has_time()
            if is_partial:
                break
        sent_before += len(found)
        samples.update(islice(found, SAMPLES - len(samples)))
        if is_partial:
            break
    named = tuple(islice(sent_by, SENT_BY_MAX))
    return IdRepeats(in_file, sent_before, named, is_partial), frozenset(samples)


def _origin(ledger: UploadLedger, upload: UploadId | None) -> UploadId | None:
    """The upload whose orders this one sends again, itself where there is none."""
    while upload:
        account = ledger.read_account(upload)
        original = resent_by(account.upload.source.key) if account else None
        if original is None:
            return upload
        upload = original
    return None
