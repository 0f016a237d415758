"""The zip of the producer's dependencies: wheels of its platform, the same bytes each time."""

import io
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from orders_cli.failures import CommandFailed

UNPACKED_BYTES_MAX = 250 * 1024 * 1024
"""What AWS Lambda takes, code and layers together."""
_TIME = (1980, 1, 1, 0, 0, 0)
_PURE = re.compile(r"[^/]+\.data/(?:purelib|platlib)/(.+)")
_RUNTIME = re.compile(r"Runtime: python([0-9.]+)")
_MACHINE = re.compile(r"Architectures:\s*- (\S+)")
_PLATFORMS = {"x86_64": "manylinux2014_x86_64", "arm64": "manylinux2014_aarch64"}


def runtime_of(template: str) -> tuple[str, str]:
    """Python's version and pip's platform of the function in infra/pipeline.yaml."""
    python, machine = _RUNTIME.search(template), _MACHINE.search(template)
    if not python or not machine or machine[1] not in _PLATFORMS:
        raise CommandFailed("infra/pipeline.yaml does not say for which Python and machine it is.")
    return python[1], _PLATFORMS[machine[1]]


def build_layer(requirements: Path, *, python: str, platform: str) -> bytes:
    """Download the wheels by their hashes and put them into a layer. Raises CommandFailed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
            *("--python-version", python, "--platform", platform),
            *("--dest", folder, "--requirement", str(requirements)),
        ]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            reason = (ended.stderr.strip().splitlines() or ["pip gives no reason"])[-1]
            raise CommandFailed(
                f"The wheels of {requirements.name} cannot be had for Python {python} on "
                f"{platform}: {reason}",
                hint="Does this Python have pip, and does pip reach its index?",
            )
        return layer_archive(sorted(Path(folder).glob("*.whl")))


def layer_archive(wheels: list[Path]) -> bytes:
    """A layer of these wheels: equal wheels are an equal zip."""
    files: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as opened:
            for entry in opened.infolist():
                placed = _PURE.fullmatch(entry.filename)
                # Scripts and headers are for people; the function has none.
                if not entry.is_dir() and (placed or ".data/" not in entry.filename):
                    files[placed[1] if placed else entry.filename] = opened.read(entry)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in sorted(files.items()):
            entry = zipfile.ZipInfo(f"python/{name}", _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, body)
    return content.getvalue()


def check_unpacked(*archives: bytes) -> int:
    """Bytes of the archives when unpacked. Raises CommandFailed above what Lambda takes."""
    total = 0
    for archive in archives:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            total += sum(entry.file_size for entry in opened.infolist())
    if total > UNPACKED_BYTES_MAX:
        raise CommandFailed(
            f"Code and layer are {total / 1e6:.0f} MB unpacked; AWS Lambda takes "
            f"{UNPACKED_BYTES_MAX / 1e6:.0f} MB.",
            hint="Remove what is large from requirements-lambda.txt or the folder models.",
        )
    return total
