from array import array
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.id_search import OtherUploads, search_ids
from orders import id_hashes as module
from orders.id_hashes import Hashes, id_hashes
from orders.id_parts import IdPart
from orders.upload import UploadId

UPLOADS = [UploadId(f"{number:020d}") for number in range(3)]
IDS = st.lists(st.sampled_from("ABCDEFGHIJ"), max_size=12)


class HeldParts:
    """The parts of the others, in memory; a part's `start` is its place."""

    def __init__(self, contents: list[tuple[int, list[str]]]) -> None:
        self.contents = contents
        self.parts = [
            IdPart(UPLOADS[upload], place, place + 1) for place, (upload, _) in enumerate(contents)
        ]

    def put_id_part(self, part: IdPart, content: bytes) -> None:
        raise AssertionError(part, content)

    def id_parts(self) -> Sequence[IdPart]:
        return self.parts

    def read_id_parts(self, parts: Sequence[IdPart]) -> Iterator[Hashes]:
        return (id_hashes(self.contents[part.start][1]) for part in parts)


@pytest.mark.parametrize("at_once", [1, 4, 1_000_000])
@given(
    own=st.lists(IDS, max_size=4),
    others=st.lists(st.tuples(st.integers(0, 2), IDS), max_size=5),
    unsent=st.sets(st.sampled_from(UPLOADS)),
)
def test_the_counts_are_right_in_however_many_ranges_the_hashes_are_looked_at(
    own: list[list[str]], others: list[tuple[int, list[str]]], unsent: set[UploadId], at_once: int
) -> None:
    ids = [one for part in own for one in part]
    store = HeldParts(others)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HASHES_AT_ONCE", at_once)

        found, samples = search_ids(
            lambda: map(id_hashes, own),
            len(ids),
            OtherUploads(store, store.parts, lambda upload: upload not in unsent),
        )

    sent = [
        (UPLOADS[upload], set(part)) for upload, part in others if UPLOADS[upload] not in unsent
    ]
    shared = set(ids).intersection(*[set[str]().union(*(part for _, part in sent))])
    assert found.in_file == len(ids) - len(set(ids))
    assert found.sent_before == len(shared)
    assert set(found.sent_by) == {upload for upload, part in sent if part & shared}
    assert samples == frozenset(id_hashes(sorted(shared)))
    assert not found.is_partial


def test_a_search_that_runs_out_of_time_says_so() -> None:
    store = HeldParts([(0, ["A"]), (1, ["A"])])

    found, _ = search_ids(
        lambda: [id_hashes(["A"])],
        1,
        OtherUploads(store, store.parts, lambda _: True),
        has_time=lambda: False,
    )

    assert (found.sent_by, found.is_partial) == ((UPLOADS[0],), True)


def test_without_orders_of_its_own_nothing_of_others_is_read() -> None:
    store = HeldParts([(0, ["A"])])
    store.contents.clear()

    found, _ = search_ids(lambda: [array("Q")], 0, OtherUploads(store, store.parts, lambda _: True))

    assert found.sent_before == 0
