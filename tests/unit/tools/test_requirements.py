from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def entries(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and line[0] not in "# "]


PINNED = sorted([*ROOT.glob("requirements*.txt"), *ROOT.glob("*/requirements*.txt")])


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.name)
def test_everything_is_pinned_with_hashes_and_no_registry_is_named(path: Path) -> None:
    assert entries(path)
    assert all("==" in line and line.endswith("\\") for line in entries(path))
    assert "://" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["requirements-lambda.txt", "requirements-consumer.txt"])
def test_all_files_agree_on_each_version(name: str) -> None:
    assert set(entries(ROOT / name)) <= set(entries(ROOT / "requirements.txt"))
