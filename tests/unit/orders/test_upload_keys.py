import pytest

from orders.upload import UploadId
from orders.upload_keys import (
    corrected_by,
    correcting_name,
    is_repeated_on_purpose,
    redriving_name,
    repeating_name,
)
from orders_cli.local_file import new_key

UPLOAD = UploadId("a" * 20)
NAMES = ["b.jsonl", "x" * 300 + ".csv.gz", "a b/-again-.jsonl", f"x-corrects-{'c' * 20}-b.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_the_key_says_what_the_upload_corrects(name: str) -> None:
    key = new_key("uploads/", correcting_name(UPLOAD, name))

    assert corrected_by(key) == UPLOAD
    assert not is_repeated_on_purpose(key)
    assert key.endswith(name[-5:])


@pytest.mark.parametrize("name", NAMES)
def test_the_key_says_that_orders_are_to_be_sent_again(name: str) -> None:
    key = new_key("uploads/", repeating_name(name))

    assert is_repeated_on_purpose(key)
    assert corrected_by(key) is None


@pytest.mark.parametrize("name", NAMES)
def test_corrected_orders_may_be_sent_again(name: str) -> None:
    key = new_key("uploads/", repeating_name(correcting_name(UPLOAD, name)))

    assert corrected_by(key) == UPLOAD
    assert is_repeated_on_purpose(key)
    assert key.endswith(name[-5:])


def test_the_key_of_a_redrive_says_so() -> None:
    key = new_key("uploads/", redriving_name(UPLOAD))

    assert is_repeated_on_purpose(key)
    assert corrected_by(key) is None


@pytest.mark.parametrize(
    "key",
    [
        "uploads/b.jsonl",
        "uploads/again-b.jsonl",
        "uploads/20261201T010203Z-0a1b2c3d-not-again-b.jsonl",
        "uploads/20261201T010203Z-0a1b2c3d-corrects-b.jsonl",
        f"uploads/20261201T010203Z-0a1b2c3d-redrive-of-{UPLOAD}.jsonl.csv",
    ],
)
def test_any_other_key_says_nothing(key: str) -> None:
    assert corrected_by(key) is None
    assert not is_repeated_on_purpose(key)
