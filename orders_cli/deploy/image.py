"""The consumer's image: built and pushed with whichever builder is here, referred to by digest."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orders_cli.failures import CommandFailed

BUILDERS = ("docker", "podman", "buildah")
PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


@dataclass(frozen=True, slots=True)
class Registry:
    """Where an image is pushed, and the password of this hour."""

    host: str
    user: str
    password: str


def find_builder() -> str:
    """The first builder on the PATH. Raises CommandFailed."""
    for builder in BUILDERS:
        if shutil.which(builder):
            return builder
    raise CommandFailed(
        "The consumer's image cannot be built: there is no docker, podman or buildah on the PATH.",
        hint="Install one of them.",
    )


def build_and_push(
    builder: str, checkout: Path, name: str, *, platform: str, registry: Registry
) -> None:
    """Build the Dockerfile of the checkout and push it as `name`. Raises CommandFailed."""
    login = (builder, "login", "--username", registry.user, "--password-stdin", registry.host)
    build = "build" if builder != "buildah" else "bud"
    _run(login, given=registry.password)
    _run((builder, build, "--platform", platform, "--tag", name, str(checkout)))
    _run((builder, "push", name))


def _run(command: Sequence[str], *, given: str | None = None) -> None:
    """Run one step; its progress goes to stderr, where ours goes."""
    ended = subprocess.run(command, input=given, text=True, stdout=2, check=False)
    if ended.returncode:
        raise CommandFailed(
            f"`{' '.join(command[:2])}` ended with {ended.returncode}; its reason stands above."
        )
