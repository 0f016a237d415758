"""Which packages are installed, and in which order?

amazon-kclpy comes first and alone: it exists as source only, downloads its jars while it is built,
and is the one step that fails now and then. What cannot be checked by pip's hashes (the jars) is
checked right after, and a build that brought wrong or too few of them is made again without cache.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools import jars
from tools.failure import SetUpFailed, is_passing, sentence
from tools.running import Runner, no_count

ATTEMPTS = 3
PAUSE_SECONDS = 3.0
_BUILD = ("--no-build-isolation", "--use-pep517", "--no-deps")
# Whole steps are tried again, hence few retries; compiling comes later, on all cores.
_PIP = ("-m", "pip", "install", "--no-input", "--retries", "2", "--no-compile")
# More than half of all the source, and nothing of it runs in the system itself: compiled when a
# test or a check first imports it. This takes a third off the time of set-up.
_COMPILED_LATER = r"/(?:graphql|moto|mpmath|mypy|networkx|pygments|sympy)/"
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
    """Brings one environment to what the committed files pin."""

    runner: Runner

    @property
    def site_packages(self) -> Path:
        """Where packages lie in the environment.

        Raises:
            SetUpFailed: The environment has none or several.
        """
        found = list(self.runner.environment.glob("lib/python3.*/site-packages"))
        if len(found) != 1:
            raise SetUpFailed(f"{self.runner.environment} is not of one Python: remove it.")
        return found[0]

    def count_installed(self) -> int:
        """Packages that lie in the environment now."""
        return sum(1 for _ in self.site_packages.glob("*.dist-info"))

    def install_all(self) -> int:
        """Install everything that is pinned, and the project itself, and return the jars' count.

        Raises:
            SetUpFailed: With the sentence to show.
        """
        pinned = (self.runner.root / "requirements.txt").read_text(encoding="utf-8")
        total = len(names(pinned))
        self._pip("build tools", "--require-hashes", "-r", "requirements-build.txt")
        jar_count = self._install_kcl(slice_of(pinned, "amazon-kclpy"))
        self._pip(
            "packages",
            *(*_BUILD, "--require-hashes", "-r", "requirements.txt"),
            count=lambda output: self._count(total, output),
        )
        self._pip("the project", *_BUILD, "--no-index", "-e", ".")
        # Some packages bring files for other Pythons: they cannot be compiled and never run.
        compile_all = ("-m", "compileall", "-q", "-j", "0", "-x", _COMPILED_LATER)
        self.runner.run("bytecode", [*compile_all, str(self.site_packages)])
        return jar_count

    def _install_kcl(self, pin: str) -> int:
        pin_file = self.runner.environment / "kcl.txt"
        pin_file.write_text(pin, encoding="utf-8")
        # Verbose, because only then each jar that could not be fetched is named.
        options = [*_BUILD, "--require-hashes", "--verbose", "-r", str(pin_file)]
        for attempt in range(1, ATTEMPTS + 1):
            self._pip("the KCL and its jars", *options)
            try:
                return jars.check(self.site_packages, self.runner.root / jars.LIST.name)
            except jars.JarsDiffer as differs:
                if attempt == ATTEMPTS:
                    raise SetUpFailed(
                        f"{differs}: they come from Maven Central, or from the mirror in"
                        " KCL_MVN_REPO_SEARCH_URL; do not use them, and tell the maintainers."
                    ) from differs
            options += ["--force-reinstall", "--no-cache-dir"]
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _pip(self, step: str, *arguments: str, count: Callable[[str], str] = no_count) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            code, output = self.runner.run(step, [*_PIP, *arguments], count)
            if code == 0:
                return
            if attempt == ATTEMPTS or not is_passing(output):
                log = self.runner.log.relative_to(self.runner.root)
                raise SetUpFailed(sentence(output, str(log)))
            time.sleep(PAUSE_SECONDS * attempt)

    def _count(self, total: int, output: str) -> str:
        if "\nInstalling collected packages:" in output:
            return f"installed {min(self.count_installed(), total)} of {total}"
        return f"fetched {min(count_fetched(output), total)} of {total}"
