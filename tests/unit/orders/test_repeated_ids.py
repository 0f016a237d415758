from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders import repeated_ids as module
from orders.parsed_lines import FilePosition, ParsedLines
from orders.repeated_ids import RepeatedId, repeated_ids


def file_of(*parts: list[str], passes: list[int]) -> Callable[[], Iterator[ParsedLines]]:
    """A file with an order on every second line, read in parts; `passes` counts the readings."""

    def read() -> Iterator[ParsedLines]:
        passes.append(1)
        line = 0
        for ids in parts:
            numbers = range(line + 2, line + 2 + 2 * len(ids), 2)
            line += 2 * len(ids)
            yield ParsedLines(numbers, ids, [b"{}"] * len(ids), (), 0, FilePosition(0, line))

    return read


def test_every_order_that_repeats_an_id_is_named_with_the_first_line_of_it() -> None:
    passes: list[int] = []

    found = list(repeated_ids(file_of(["A", "B"], ["C", "A"], ["A", "B"], passes=passes)))

    assert found == [RepeatedId(8, "A", 2), RepeatedId(10, "A", 2), RepeatedId(12, "B", 4)]
    assert len(passes) == 2


def test_a_file_without_repeats_is_read_once() -> None:
    passes: list[int] = []

    assert list(repeated_ids(file_of(["A", "B"], ["C"], passes=passes))) == []
    assert len(passes) == 1


@pytest.mark.parametrize("parts", [1, 256])
@given(parts_of_ids=st.lists(st.lists(st.sampled_from("ABCDEFGH"), max_size=4), max_size=4))
def test_hashes_that_are_equal_by_chance_name_nothing(
    parts_of_ids: list[list[str]], parts: int
) -> None:
    ids = [one for part in parts_of_ids for one in part]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PARTS", parts)
        patch.setattr(module, "hash", lambda text: ord(text) // 3, raising=False)

        found = list(repeated_ids(file_of(*parts_of_ids, passes=[])))

    expected = [
        RepeatedId(2 * at + 2, one, 2 * ids.index(one) + 2)
        for at, one in enumerate(ids)
        if one in ids[:at]
    ]
    assert found == expected
