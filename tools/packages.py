"""How do the pinned packages get into the environment?

amazon-kclpy comes first and alone: it exists as source only, downloads its jars while it is built,
and is the one step that fails now and then. What cannot be checked by pip's hashes (the jars) is
checked right after, and a build that brought wrong or too few of them is made again without cache.
"""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tools import jars
from tools.failure import SetUpFailed, is_passing, sentence
from tools.progress import Progress

ATTEMPTS = 3
PAUSE_SECONDS = 3.0
POLL_SECONDS = 0.2
# pip's own variables that would put packages elsewhere or build them in another way.
_UNSET = (
    "PIP_USER",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV",
    "PYTHONPATH",
    "PYTHONHOME",
)
_ENTRY = re.compile(
    r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==\S+(?: ; (?P<marker>[^\\\n]*))?", re.MULTILINE
)


def names(requirements: str) -> set[str]:
    """The packages that a requirements file would install on a POSIX system with CPython."""
    return {
        entry["name"]
        for entry in _ENTRY.finditer(requirements)
        if "sys_platform == 'win32'" not in (entry["marker"] or "")
    }


def slice_of(requirements: str, name: str) -> str:
    """The lines of a requirements file that pin one package, hashes included.

    Raises:
        SetUpFailed: The file does not pin it.
    """
    match = re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*\n", requirements, re.MULTILINE)
    if match is None:
        raise SetUpFailed(f"requirements.txt does not pin {name}: run 'make lock'.")
    return match[0]


def count_fetched(log: str) -> int:
    """How many packages a pip that is still running has taken up."""
    return len(re.findall(r"^(?:Collecting|Requirement already satisfied:) ", log, re.MULTILINE))


@dataclass(frozen=True, slots=True)
class Installer:
    """Runs pip inside one environment and tells how far it is."""

    root: Path
    environment: Path
    progress: Progress

    @property
    def python(self) -> Path:
        """The environment's own interpreter."""
        return self.environment / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where packages lie in the environment.

        Raises:
            SetUpFailed: The environment has none or several.
        """
        found = list(self.environment.glob("lib/python3.*/site-packages"))
        if len(found) != 1:
            raise SetUpFailed(f"{self.environment} is no environment of one Python: remove it.")
        return found[0]

    @property
    def log(self) -> Path:
        """What pip printed."""
        return self.environment / "set-up.log"

    def count_installed(self) -> int:
        """Packages that lie in the environment now."""
        return sum(1 for _ in self.site_packages.glob("*.dist-info"))

    def install_all(self) -> int:
        """Install everything that is pinned, and the project itself, and return the jars' count.

        Raises:
            SetUpFailed: With the sentence to show.
        """
        pinned = (self.root / "requirements.txt").read_text(encoding="utf-8")
        self._pip("build tools", 0, "--require-hashes", "-r", "requirements-build.txt")
        jar_count = self._install_kcl(slice_of(pinned, "amazon-kclpy"))
        build = ("--no-build-isolation", "--use-pep517", "--no-deps")
        self._pip(
            "packages", len(names(pinned)), *build, "--require-hashes", "-r", "requirements.txt"
        )
        self._pip("the project", 0, *build, "--no-index", "-e", ".")
        return jar_count

    def _install_kcl(self, pin: str) -> int:
        pin_file = self.environment / "kcl.txt"
        pin_file.write_text(pin, encoding="utf-8")
        options = ["--no-build-isolation", "--use-pep517", "--no-deps", "--require-hashes"]
        options.append("--verbose")  # names each jar that could not be fetched
        for attempt in range(1, ATTEMPTS + 1):
            self._pip("the KCL and its jars", 0, *options, "-r", str(pin_file))
            try:
                return jars.check(self.site_packages, self.root / jars.LIST.name)
            except jars.JarsDiffer as differs:
                if attempt == ATTEMPTS:
                    raise SetUpFailed(
                        f"{differs}: they come from Maven Central, or from the mirror in"
                        " KCL_MVN_REPO_SEARCH_URL; do not use them, and tell the maintainers."
                    ) from differs
            options += ["--force-reinstall", "--no-cache-dir"]
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _pip(self, step: str, total: int, *arguments: str) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            code, text = self._run(step, total, arguments)
            if code == 0:
                return
            if attempt == ATTEMPTS or not is_passing(text):
                raise SetUpFailed(sentence(text, str(self.log.relative_to(self.root))))
            time.sleep(PAUSE_SECONDS * attempt)

    def _run(self, step: str, total: int, arguments: tuple[str, ...]) -> tuple[int, str]:
        """Run pip install once; its output goes to the log and is what the counter reads."""
        options = ("--no-input", "--retries", "2")  # whole steps are tried again, too
        command = [str(self.python), "-m", "pip", "install", *options, *arguments]
        before = self.log.stat().st_size if self.log.exists() else 0
        environment = {name: value for name, value in os.environ.items() if name not in _UNSET}
        with self.log.open("ab") as log:
            pip = subprocess.Popen(
                command,
                cwd=self.root,
                env=environment | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                while pip.poll() is None:
                    self.progress.show(step, self._count(total, self._text(before)))
                    time.sleep(POLL_SECONDS)
            finally:
                if pip.poll() is None:
                    pip.terminate()
                    pip.wait()
        return pip.returncode, self._text(before)

    def _count(self, total: int, text: str) -> str:
        if not total:
            return ""
        if "\nInstalling collected packages:" in text:
            return f"installed {min(self.count_installed(), total)} of {total}"
        return f"fetched {min(count_fetched(text), total)} of {total}"

    def _text(self, start: int) -> str:
        with self.log.open("rb") as log:
            log.seek(start)
            return log.read().decode("utf-8", errors="replace")
