"""Is `.venv` what the committed files ask for? Run as a program: exit code 0 when it is.

The stamp is written last, so an interrupted set-up leaves none.
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

PINS = ("requirements-build.txt", "requirements.txt", "jars.sha256", "properties/kcl.classlist")
STAMP = "set-up.stamp"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def expected(root: Path) -> str:
    """The stamp of an up-to-date environment.

    Its first line says which environment it is: the Python, and the checkout, whose path is in
    the scripts of `.venv`. The second is a hash of all that is installed in it. A tool's setting
    in pyproject.toml changes neither.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    parts = (project["project"], project["build-system"], project["tool"]["setuptools"]["packages"])
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for name in PINS:
        digest.update(b"\0" + (root / name).read_bytes())
    return f"{VERSION} {root}\n{digest.hexdigest()}\n"


def read(environment: Path) -> str:
    """The stamp of an environment, empty when no set-up of it was completed."""
    stamp = environment / STAMP
    return stamp.read_text(encoding="utf-8") if stamp.exists() else ""


if __name__ == "__main__":
    sys.exit(read(Path(".venv")) != expected(Path.cwd()))
