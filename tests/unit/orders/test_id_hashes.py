import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders import id_hashes as module
from orders.id_hashes import hash_ranges, hashes_between, id_hashes

GOLDEN = [1546119803432947176, 12658963122215277227, 7997612694520095813]
"""A later release reads what an earlier one stored."""
IDS = [f"order-{number:06d}" for number in range(100_000)]


def test_a_hash_is_the_same_in_every_process_and_release() -> None:
    program = "from orders.id_hashes import id_hashes; print(*id_hashes(['A', 'order-1', 'ä✓']))"
    elsewhere = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    hashes = list(id_hashes(["A", "order-1", "ä✓"]))

    assert [int(one) for one in elsewhere.split()] == hashes
    assert hashes == GOLDEN


@pytest.mark.parametrize(
    "ids",
    [
        IDS,
        [str(number) for number in range(100_000)],
        [f"{number:032x}" for number in range(0, 2**127, 2**127 // 100_000)],
        [f"{number:020d}" for number in range(0, 10**20, 10**15)],
    ],
    ids=["padded", "numbers", "hex", "far apart"],
)
def test_the_usual_ids_have_hashes_of_their_own_that_spread_evenly(ids: list[str]) -> None:
    hashes = id_hashes(ids)

    assert len(set(hashes)) == len(ids)
    ranges = [len(hashes_between(hashes, *bounds)) for bounds in hash_ranges(10_000_000)]
    assert sum(ranges) == len(ids)
    assert max(ranges) < 1.5 * len(ids) / 10


@given(st.lists(st.text(min_size=1)))
def test_a_hash_depends_on_its_own_id_alone(ids: list[str]) -> None:
    alone = [hashed for one in ids for hashed in id_hashes([one])]

    assert list(id_hashes(ids)) == alone


@given(st.integers(0, 20_000_000))
def test_ranges_touch_and_cover_every_hash(count: int) -> None:
    ranges = list(hash_ranges(count))

    assert ranges[0][0] == 0
    assert ranges[-1][1] == module._PRIME
    assert all(before[1] == after[0] for before, after in pairwise(ranges))
    assert count / len(ranges) <= module.HASHES_AT_ONCE
