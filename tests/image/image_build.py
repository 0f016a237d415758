"""How is the image built here, without a container engine and without a registry of images?

Debian's base is made by debootstrap, the Dockerfile is built unchanged by buildah with chroot
isolation, in a storage folder of its own. Needs root.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BASE_IMAGE = "docker.io/library/debian:trixie-slim"
IMAGE = "localhost/orders-consumer:test"
# Where a host trusts further authorities, the image's package managers must trust them, too.
HOST_AUTHORITIES = Path("/usr/local/share/ca-certificates")
STEP_SECONDS = 480  # about 50 where nobody else uses the processors


class StepFailed(Exception):
    """A step of the build failed; the message is the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A folder of buildah's own; nothing outside it is read or changed."""

    folder: Path

    def command(self, *arguments: str) -> list[str]:
        """A buildah command on this storage."""
        places = [("--root", self.folder / "root"), ("--runroot", self.folder / "run")]
        options = [word for name, place in places for word in (name, str(place))]
        return ["buildah", *options, "--storage-driver", "vfs", *arguments]

    def buildah(self, *arguments: str) -> str:
        """Run buildah; returns what it printed. Raises StepFailed."""
        return run(self.command(*arguments))

    def megabytes(self) -> float:
        """The image's size, its base included."""
        images = json.loads(self.buildah("images", "--json", IMAGE))
        number, unit = images[0]["size"].split()
        return float(number) * {"MB": 1, "GB": 1_000}[unit]

    def config(self) -> dict[str, Any]:
        """What the image says about itself, in Docker's terms."""
        inspected = json.loads(self.buildah("inspect", "--type", "image", IMAGE))
        return dict(inspected["Docker"]["config"])


def environment() -> dict[str, str]:
    """What the tools need of ours: a path, and no isolation that a plain machine lacks."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "BUILDAH_ISOLATION": "chroot"}


def run(command: Sequence[str]) -> str:
    """Run one step to its end; returns its standard output. Raises StepFailed."""
    done = subprocess.run(
        command,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=STEP_SECONDS,
        check=False,
    )
    if done.returncode:
        raise StepFailed(f"{' '.join(command[:6])} ...: {(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def make_base(storage: Storage) -> None:
    """Make Debian's base image, as small as `trixie-slim` is where images can be pulled."""
    tree = storage.folder / "debian"
    run(["debootstrap", "--variant=minbase", "trixie", str(tree)])
    for cache in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(tree / cache)
        (tree / cache / "partial").mkdir(parents=True)
    for for_people in ("doc", "locale", "man"):
        shutil.rmtree(tree / "usr/share" / for_people)
    authorities = tree / HOST_AUTHORITIES.relative_to("/")
    authorities.mkdir(parents=True, exist_ok=True)
    for certificate in HOST_AUTHORITIES.glob("*.crt"):
        shutil.copy(certificate, authorities)
    container = storage.buildah("from", "scratch").strip()
    storage.buildah("copy", "--quiet", container, f"{tree}/", "/")
    storage.buildah("commit", "--quiet", "--rm", container, BASE_IMAGE)
    shutil.rmtree(tree)


def build(storage: Storage) -> None:
    """Build the Dockerfile unchanged, on the base that is there."""
    storage.buildah(
        "build", "--pull-never", "--format", "docker", "--tag", IMAGE, "--file",
        str(ROOT / "Dockerfile"), str(ROOT),
    )  # fmt: skip
