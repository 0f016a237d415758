from array import array
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orders.id_parts import IdPart, id_part_of, parts_up_to, read_id_part, write_id_part
from orders.upload import UploadId

UPLOAD = UploadId("0123456789abcdef0123")


def test_a_part_is_eight_bytes_an_order_the_lowest_first() -> None:
    content = write_id_part(array("Q", [1, 2**63, 7, 1]))

    assert content[:16] == b"\x01" + bytes(14) + b"\x80"
    assert list(read_id_part(content)) == [1, 2**63, 7, 1]
    assert len(content) == 32


def test_bytes_that_are_no_whole_hash_are_left_out() -> None:
    assert list(read_id_part(write_id_part(array("Q", [5])) + b"\xff")) == [5]


def test_a_key_names_its_part_and_another_key_none() -> None:
    part = IdPart(UPLOAD, 5, 1_000)

    assert id_part_of(part.key) == part
    assert id_part_of(f"reports/{UPLOAD}/{5:015d}-{7:015d}") is None
    assert id_part_of(f"{part.key}.jsonl") is None


@given(
    kept=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    orphans=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 60)), max_size=6),
    empty=st.sets(st.integers(0, 5)),
)
def test_of_overlapping_parts_those_are_chosen_that_hold_each_order_once(
    kept: list[int], orphans: list[tuple[int, int]], empty: set[int]
) -> None:
    bounds = [sum(kept[:at]) for at in range(len(kept) + 1)]
    orders = {
        at
        for number, start in enumerate(bounds[:-1])
        if number not in empty
        for at in range(start, bounds[number + 1])
    }
    stored = list(pairwise(bounds))
    # Runs that died after storing a part, before the ledger knew of it.
    stored += [(bounds[at % len(kept)], bounds[at % len(kept)] + size) for at, size in orphans]
    later = set(range(bounds[-1], 100))
    parts = [
        IdPart(UPLOAD, start, end)
        for start, end in stored
        if (orders | later).intersection(range(start, end))
    ]

    chosen = parts_up_to(bounds[-1], parts)

    held = [at for part in chosen for at in range(part.start, part.end) if at in orders]
    assert sorted(held) == sorted(orders)
