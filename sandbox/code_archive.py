"""The zip of the producer's code."""

import io
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGES = ("orders", "ledger", "producer_lambda")
MODELS = "models"
"""The folder of models and mapping files for orders of one's own; it need not exist."""
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say: equal code is an equal zip


def code_archive(checkout: Path = CHECKOUT, *, models: Path | None = None) -> bytes:
    """A zip of what runs in the Lambda, sources only.

    models: the folder of models and mapping files; None: that of the checkout.
    """
    folder = models or checkout / MODELS
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in PACKAGES:
            for path in sorted((checkout / package).rglob("*.py")):
                _add(archive, path, path.relative_to(checkout))
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".py", ".toml", ".json"}:
                _add(archive, path, MODELS / path.relative_to(folder))
    return content.getvalue()


def _add(archive: zipfile.ZipFile, path: Path, name: Path) -> None:
    entry = zipfile.ZipInfo(name.as_posix(), _TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, path.read_bytes())
