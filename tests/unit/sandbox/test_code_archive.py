import io
import zipfile
from pathlib import Path

from sandbox.code_archive import code_archive


def checkout(folder: Path) -> Path:
    for name in (
        "orders/__init__.py",
        "ledger/ports/lanes.py",
        "producer_lambda/handler.py",
        "producer_lambda/notes.txt",
        "consumer/settings.py",
        "orders/__pycache__/x.cpython-311.pyc",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def test_it_holds_the_sources_that_run_in_the_lambda_and_nothing_else(tmp_path: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(code_archive(checkout(tmp_path))))

    assert archive.namelist() == [
        "orders/__init__.py",
        "ledger/ports/lanes.py",
        "producer_lambda/handler.py",
    ]
    assert archive.read("ledger/ports/lanes.py") == b"ledger/ports/lanes.py"


def test_equal_sources_make_an_equal_zip(tmp_path: Path) -> None:
    one, other = checkout(tmp_path / "one"), checkout(tmp_path / "other")

    assert code_archive(one) == code_archive(other)


def test_models_and_mapping_files_go_along(tmp_path: Path) -> None:
    for name in ("models/shop.py", "models/de/shop.toml", "models/shop.json", "models/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    of_checkout = zipfile.ZipFile(io.BytesIO(code_archive(checkout(tmp_path))))
    of_folder = zipfile.ZipFile(
        io.BytesIO(code_archive(checkout(tmp_path / "other"), models=tmp_path / "models"))
    )

    names = ["models/de/shop.toml", "models/shop.json", "models/shop.py"]
    assert of_checkout.namelist()[3:] == of_folder.namelist()[3:] == names
