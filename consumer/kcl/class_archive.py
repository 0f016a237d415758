"""Make a class archive, from which the daemon starts in half the time.

`python -m consumer.kcl.class_archive`, run by set-up and by the image's build, has Java load the
classes of properties/kcl.classlist from the jars and dump them as they are in memory. The archive
fits only this Java and these jars (decision 0043).
"""

import os
import subprocess
import sys
from pathlib import Path

from consumer.kcl.daemon import ARCHIVE, JAVA_OPTIONS, Java, JavaMissing, archive_options, find_java
from consumer.kcl.properties import PROJECT_FOLDER

CLASS_LIST = PROJECT_FOLDER / "properties" / "kcl.classlist"
"""The classes that a daemon loads up to its first order; tools.class_list makes it."""
HEAP_MEGABYTES = 256
REASON_LINES = 3


class ArchiveFailed(Exception):
    """Java could not make the archive; the message is one sentence."""


def make(java: Java, archive: Path, class_list: Path = CLASS_LIST) -> None:
    """Replace the archive by a complete one that this Java accepts, or fail. Takes seconds.

    Raises ArchiveFailed.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    draft = archive.with_name(f"{archive.name}.{os.getpid()}")
    # Some classes of the list cannot be archived, and Java would warn about each.
    dump = ("-Xshare:dump", f"-XX:SharedClassListFile={class_list}", "-Xlog:cds=error:stderr:none")
    try:
        _run(java, [*dump, f"-XX:SharedArchiveFile={draft}"])
        check(java, draft)
        draft.rename(archive)
    finally:
        draft.unlink(missing_ok=True)


def check(java: Java, archive: Path) -> None:
    """Check that this Java accepts the archive for its jars. Raises ArchiveFailed."""
    if not archive.exists():
        raise ArchiveFailed(f"There is no class archive {archive}.")
    must = (
        "-Xshare:on",
        "-Xlog:cds=warning:stderr:none",
    )  # else it runs without the archive
    _run(java, [*must, *archive_options(archive), "-version"])


def _run(java: Java, options: list[str]) -> None:
    bounds = ("-Xlog:disable", f"-Xmx{java.heap_megabytes}m")
    command = [str(java.program), *JAVA_OPTIONS, *bounds, "-cp", java.class_path, *options]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        said = (done.stderr + done.stdout).split("\n")[:REASON_LINES]
        reason = "; ".join(line.strip().rstrip(".") for line in said if line.strip())
        raise ArchiveFailed(f"{java.program} cannot use a class archive: {reason}.")


def main() -> int:
    """Make the archive where the daemon's start looks for it."""
    try:
        java = find_java(os.environ.get("ORDERS_JAVA"), heap_megabytes=HEAP_MEGABYTES)
        make(java, ARCHIVE)
    except (JavaMissing, ArchiveFailed, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{ARCHIVE}: {ARCHIVE.stat().st_size / 1e6:.0f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
