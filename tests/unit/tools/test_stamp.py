from pathlib import Path

import pytest

from tools import stamp

PROJECT = """\
[build-system]
requires = ["setuptools"]
[project]
name = "paced-orders"
[tool.setuptools]
packages = ["orders"]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    for name in stamp.PINS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / ".venv").mkdir()
    return tmp_path


def test_an_environment_without_a_stamp_is_not_up_to_date(checkout: Path) -> None:
    assert stamp.read(checkout / ".venv") != stamp.expected(checkout)


@pytest.mark.parametrize("name", stamp.PINS)
def test_a_changed_pin_changes_the_second_line_only(checkout: Path, name: str) -> None:
    before = stamp.expected(checkout).splitlines()

    (checkout / name).write_text("another", encoding="utf-8")

    after = stamp.expected(checkout).splitlines()
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_a_moved_checkout_changes_the_first_line_only(checkout: Path) -> None:
    before = stamp.expected(checkout).splitlines()

    moved = checkout.rename(checkout.with_name("moved"))

    after = stamp.expected(moved).splitlines()
    assert after[0] != before[0]
    assert after[1] == before[1]


@pytest.mark.parametrize(
    ("changed", "is_other"),
    [
        (PROJECT + "[tool.ruff]\n", False),
        (PROJECT.replace('["orders"]', '["orders", "ledger"]'), True),
    ],
    ids=["a tool's setting", "a package of ours"],
)
def test_what_counts_in_pyproject_is_what_is_installed(
    checkout: Path, changed: str, *, is_other: bool
) -> None:
    before = stamp.expected(checkout)

    (checkout / "pyproject.toml").write_text(changed, encoding="utf-8")

    assert (stamp.expected(checkout) != before) is is_other
