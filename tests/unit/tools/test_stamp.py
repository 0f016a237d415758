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
    assert not stamp.is_up_to_date(checkout, checkout / ".venv", "3.11")


def test_a_stamped_environment_is_up_to_date(checkout: Path) -> None:
    stamp.write(checkout, checkout / ".venv", "3.11")

    assert stamp.is_up_to_date(checkout, checkout / ".venv", "3.11")
    assert not stamp.is_up_to_date(checkout, checkout / ".venv", "3.12")


@pytest.mark.parametrize("name", stamp.PINS)
def test_a_changed_pin_makes_it_out_of_date(checkout: Path, name: str) -> None:
    stamp.write(checkout, checkout / ".venv", "3.11")

    (checkout / name).write_text("another", encoding="utf-8")

    assert not stamp.is_up_to_date(checkout, checkout / ".venv", "3.11")


def test_a_changed_setting_of_a_tool_does_not(checkout: Path) -> None:
    stamp.write(checkout, checkout / ".venv", "3.11")

    (checkout / "pyproject.toml").write_text(PROJECT + "[tool.ruff]\n", encoding="utf-8")

    assert stamp.is_up_to_date(checkout, checkout / ".venv", "3.11")


def test_a_new_package_of_ours_does(checkout: Path) -> None:
    stamp.write(checkout, checkout / ".venv", "3.11")

    changed = PROJECT.replace('["orders"]', '["orders", "ledger"]')
    (checkout / "pyproject.toml").write_text(changed, encoding="utf-8")

    assert not stamp.is_up_to_date(checkout, checkout / ".venv", "3.11")


def test_a_checkout_that_was_moved_is_out_of_date(checkout: Path) -> None:
    stamp.write(checkout, checkout / ".venv", "3.11")

    moved = checkout.rename(checkout.with_name("moved"))

    assert not stamp.is_up_to_date(moved, moved / ".venv", "3.11")
