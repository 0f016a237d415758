"""Do the orders of an upload that has been read repeat ids, in its file or of another upload?

Looked for when all its own ids are stored, so of two uploads at once at least one sees the other.
"""

from collections.abc import Iterator

from ledger.id_search import other_uploads, search_ids
from ledger.uploads.id_repeats import NO_REPEATS
from ledger.uploads.upload import Progress, Upload
from orders.id_hashes import Hashes
from orders.id_parts import parts_up_to
from orders.upload_keys import is_repeated_on_purpose
from producer_lambda.dependencies import Dependencies
from producer_lambda.enqueuing import Halt, halt_of
from producer_lambda.run_deadline import Deadline


def note_id_repeats(
    upload: Upload, reached: Progress, dependencies: Dependencies, deadline: Deadline
) -> Halt | None:
    """Write into the account which ids repeat; nothing where none does.

    upload: as it was when this run began. reached: where reading has ended. Out of time, where the
    next run has more of it: one that has nothing to read but this.
    """
    if is_repeated_on_purpose(upload.source.key):
        return None
    store, ledger = dependencies.id_parts, dependencies.ledger
    parts = store.id_parts()
    own = parts_up_to(reached.offset, (part for part in parts if part.upload == upload.id))

    def read_own() -> Iterator[Hashes]:
        return store.read_id_parts(own)

    others = other_uploads(ledger, store, parts, key=upload.source.key, own=upload.id)
    repeats, _ = search_ids(
        read_own, reached.enqueued, others, has_time=lambda: deadline.left_seconds() > 0
    )
    if repeats.is_partial and (reached.line, reached.enqueued) != (
        upload.progress.line,
        upload.progress.enqueued,
    ):
        return Halt.OUT_OF_TIME
    if repeats == NO_REPEATS:
        return None
    return halt_of(
        ledger.note_id_repeats(
            upload.id, token=upload.run_token, repeats=repeats, now=dependencies.clock.time()
        )
    )
