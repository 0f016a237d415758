import ast
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = SETTINGS["tool"]["setuptools"]["packages"]
TOP_PACKAGES = {name.partition(".")[0] for name in PACKAGES}
DELIVERY = ROOT / "consumer" / "delivery"
DELIVERY_MAY_IMPORT = (
    "consumer.delivery",
    "ledger.errors",
    "ledger.pace",
    "ledger.ports",
    "ledger.uploads",
    "orders.envelope",
    "orders.outcome",
)


def inits() -> Iterator[Path]:
    for package in TOP_PACKAGES:
        yield from (ROOT / package).rglob("__init__.py")


def imports_of(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def may_delivery_import(name: str) -> bool:
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or f"{name}.".startswith(
        tuple(f"{allowed}." for allowed in DELIVERY_MAY_IMPORT)
    )


def test_every_package_is_listed_and_every_listed_one_exists() -> None:
    on_disk = {str(path.parent.relative_to(ROOT)).replace("/", ".") for path in inits()}

    assert on_disk == set(PACKAGES)


def test_every_module_lies_in_a_listed_package() -> None:
    modules = (path for top in TOP_PACKAGES for path in (ROOT / top).rglob("*.py"))

    strays = [path for path in modules if not (path.parent / "__init__.py").exists()]

    assert strays == []


def test_importing_a_package_imports_nothing_else() -> None:
    assert [path for path in inits() if path.read_bytes()] == []


def test_delivery_imports_only_values_and_the_standard_library() -> None:
    found = {
        f"{module.name}: {name}"
        for module in DELIVERY.rglob("*.py")
        for name in imports_of(module)
        if not may_delivery_import(name)
    }

    assert found == set()


def test_delivery_runs_without_any_installed_package() -> None:
    names = [f"consumer.delivery.{module.stem}" for module in DELIVERY.glob("[!_]*.py")]

    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    result = subprocess.run(
        [sys.executable, "-S", "-c", code, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr


STARTERS = {"Thread", "Timer", "ThreadPoolExecutor", "ProcessPoolExecutor", "start_new_thread"}


def starts_of_threads(module: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in STARTERS:
                yield node.lineno


def test_every_thread_of_the_consumer_is_started_where_its_end_by_surprise_is_heard_of() -> None:
    found = {
        f"{module.relative_to(ROOT)}:{line}"
        for module in (ROOT / "consumer").rglob("*.py")
        for line in starts_of_threads(module)
        if module.relative_to(ROOT) != Path("consumer/threads.py")
    }

    assert found == set()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_unit_test_opens_no_network_socket(family: socket.AddressFamily) -> None:
    with socket.socket(family) as opened, pytest.raises(AssertionError, match="tests/sockets"):
        opened.bind(("localhost", 0))
