"""How does a file appear whole or not at all?"""

import os
from pathlib import Path


def write_by_rename(path: Path, text: str) -> None:
    """Write beside the path, then rename: a reader sees the old content or the new."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
