"""The zip of the producer's code."""

import io
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGES = ("orders", "ledger", "producer_lambda")
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say: equal code is an equal zip


def code_archive(checkout: Path = CHECKOUT) -> bytes:
    """A zip of the packages that run in the Lambda, sources only."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in PACKAGES:
            for path in sorted((checkout / package).rglob("*.py")):
                entry = zipfile.ZipInfo(path.relative_to(checkout).as_posix(), _TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes())
    return content.getvalue()
