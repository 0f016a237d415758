"""Are the KCL's jars the ones we know?

amazon-kclpy downloads its jars while it is built and checks none of them. `jars.sha256` lists all
of them in the format of sha256sum. Standard library only, because the image's build runs this too:

    python -m tools.jars           # check the jars of this Python's amazon_kclpy; 1 if they differ
    python -m tools.jars list      # print a new jars.sha256, after a change of amazon-kclpy
"""

import hashlib
import re
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).resolve().parent.parent / "jars.sha256"
_NAMES_SHOWN = 3
_LINE = re.compile(r"(?P<sum>[0-9a-f]{64})  (?P<name>[^/\s]+\.jar)")


def _first_few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_NAMES_SHOWN]) + (", ..." if len(names) > _NAMES_SHOWN else "")


@dataclass(eq=False, slots=True)
class JarsDiffer(Exception):
    """The jars on disk are not those of the list; names only, sorted."""

    missing: tuple[str, ...]
    changed: tuple[str, ...]
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        """One sentence, with at most three names for each kind of difference."""
        kinds = (
            ("missing", self.missing),
            ("with different content", self.changed),
            ("not in jars.sha256", self.unknown),
        )
        parts = [f"{len(names)} {kind} ({_first_few(names)})" for kind, names in kinds if names]
        return "The KCL's jars are not those of jars.sha256: " + "; ".join(parts)


def parse(text: str) -> dict[str, str]:
    """Read a list of sums: jar name to SHA-256 in hex.

    Raises:
        ValueError: A line is not `<sum>  <name>.jar`, or a name is listed twice.
    """
    sums: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None or match["name"] in sums:
            raise ValueError(f"jars.sha256, line {number}, is not '<sum>  <name>.jar': {line!r}")
        sums[match["name"]] = match["sum"]
    return sums


def sums_of(folder: Path) -> dict[str, str]:
    """Hash the jars in a folder; other files there (`__init__.py`) are ignored."""
    return {
        jar.name: hashlib.sha256(jar.read_bytes()).hexdigest()
        for jar in sorted(folder.glob("*.jar"))
    }


def compare(known: Mapping[str, str], present: Mapping[str, str]) -> None:
    """Check that both name the same jars with the same sums.

    Raises:
        JarsDiffer: They do not.
    """
    differs = JarsDiffer(
        missing=tuple(sorted(known.keys() - present.keys())),
        changed=tuple(sorted(n for n in known.keys() & present.keys() if known[n] != present[n])),
        unknown=tuple(sorted(present.keys() - known.keys())),
    )
    if differs.missing or differs.changed or differs.unknown:
        raise differs


def check(site_packages: Path, known: Path = LIST) -> int:
    """Check the jars of an installed amazon_kclpy and return how many there are.

    Raises:
        JarsDiffer: They are not those of the list.
    """
    present = sums_of(site_packages / "amazon_kclpy" / "jars")
    compare(parse(known.read_text(encoding="ascii")), present)
    return len(present)


def main() -> int:
    """Check or list the jars of the Python that runs this."""
    site_packages = Path(sysconfig.get_path("purelib"))
    if sys.argv[1:] == ["list"]:
        for name, digest in sums_of(site_packages / "amazon_kclpy" / "jars").items():
            print(f"{digest}  {name}")
        return 0
    try:
        print(f"{check(site_packages)} jars, all as in {LIST.name}")
    except JarsDiffer as differs:
        print(f"{differs}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
