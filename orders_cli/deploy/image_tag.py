"""A tag that says what an image was built from: equal sources are an equal tag."""

import hashlib
import re
from pathlib import Path

_COPIED = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)
_TAG_CHARACTERS = 24


def image_tag(checkout: Path, platform: str) -> str:
    """The digest of the Dockerfile and of all that it copies, and the machine."""
    dockerfile = (checkout / "Dockerfile").read_text(encoding="utf-8")
    digest = hashlib.sha256(dockerfile.encode())
    for path in sorted(_copied_files(checkout, dockerfile)):
        digest.update(f"\0{path.relative_to(checkout)}\0".encode())
        digest.update(path.read_bytes())
    return f"{digest.hexdigest()[:_TAG_CHARACTERS]}-{platform.rpartition('/')[2]}"


def _copied_files(checkout: Path, dockerfile: str) -> set[Path]:
    found: set[Path] = set()
    for words in _COPIED.findall(dockerfile):
        for word in words.split():
            place = checkout / word
            found |= {place} if place.is_file() else set(place.rglob("*"))
    return {one for one in found if one.is_file() and "__pycache__" not in one.parts}
