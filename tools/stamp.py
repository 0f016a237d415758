"""Is `.venv` what the committed files ask for?

The stamp is written last, so a set-up that was interrupted leaves none. Run as a program, it ends
with 0 when `.venv` is up to date and with 1 when it is not.
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

PINS = (
    "requirements-build.txt",
    "requirements.txt",
    "jars.sha256",
    "properties/kcl.classlist",
)
STAMP = "set-up.stamp"


def fingerprint(root: Path, python_version: str) -> str:
    """Hash everything that `.venv` is made from.

    Args:
        root: The checkout; its path counts, because scripts in `.venv` name it.
        python_version: As `3.11`.

    Returns:
        64 hex digits. A tool's setting in pyproject.toml does not change it.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    parts = {
        "root": str(root),
        "python": python_version,
        "project": project["project"],
        "build": project["build-system"],
        "packages": project["tool"]["setuptools"]["packages"],
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for name in PINS:
        digest.update(b"\0" + (root / name).read_bytes())
    return digest.hexdigest()


def is_up_to_date(root: Path, environment: Path, python_version: str) -> bool:
    """Whether the environment carries the stamp of what is committed now."""
    try:
        stamp = (environment / STAMP).read_text(encoding="ascii")
    except OSError:
        return False
    return stamp == fingerprint(root, python_version)


def write(root: Path, environment: Path, python_version: str) -> None:
    """Say that the environment is complete."""
    (environment / STAMP).write_text(fingerprint(root, python_version), encoding="ascii")


if __name__ == "__main__":
    here = Path.cwd()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    sys.exit(0 if is_up_to_date(here, here / ".venv", version) else 1)
