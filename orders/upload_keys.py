"""What the key of an uploaded object says about its orders.

The `orders` command stores a file under PREFIX + TIME-TOKEN-NAME, and NAME begins with a mark where
its orders are no new ones. The key is there from the moment when the object is, whoever is killed
after that, and every part of the system sees it.
"""

import re

from orders.upload import UploadId

CORRECTING_CHARACTERS, REPEATING_CHARACTERS = 100, 130
"""What is kept of a name beside a mark, so that with both marks it fits into a key."""

_MARK = re.compile(
    r"(?:^|/)[0-9]{8}T[0-9]{6}Z-[0-9a-z]+-"
    r"(?P<again>again-)?"
    r"(?:redrive-of-(?P<redriven>[0-9a-f]{20})\.jsonl\Z|corrects-(?P<corrected>[0-9a-f]{20})-)?",
    re.ASCII,
)


def redriving_name(upload: UploadId) -> str:
    """The name of a file that sends refused orders of an upload again."""
    return f"redrive-of-{upload}.jsonl"


def correcting_name(upload: UploadId, name: str) -> str:
    """The name of a file with corrected orders of an upload."""
    return f"corrects-{upload}-{name[-CORRECTING_CHARACTERS:]}"


def repeating_name(name: str) -> str:
    """The name of a file whose orders a person wants to send once more."""
    return f"again-{name[-REPEATING_CHARACTERS:]}"


def corrected_by(key: str) -> UploadId | None:
    """The upload that the object under this key corrects."""
    found = _MARK.search(key)
    return UploadId(found["corrected"]) if found and found["corrected"] else None


def resent_by(key: str) -> UploadId | None:
    """The upload whose orders the object under this key sends again, corrected or as they were."""
    found = _MARK.search(key)
    original = found and (found["redriven"] or found["corrected"])
    return UploadId(original) if original else None


def is_repeated_on_purpose(key: str) -> bool:
    """May the object hold the bytes of an earlier one: a redrive, or because a person said so?"""
    found = _MARK.search(key)
    return bool(found and (found["again"] or found["redriven"]))
