import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = SETTINGS["tool"]["setuptools"]["packages"]
TOP_PACKAGES = {name.partition(".")[0] for name in PACKAGES}
EXTRAS = SETTINGS["project"]["optional-dependencies"]


def without_type_checking(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    yield from ast.walk(tree)


def third_party(package: str) -> set[str]:
    found: set[str] = set()
    for module in (ROOT / package).rglob("*.py"):
        for node in without_type_checking(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - TOP_PACKAGES - set(sys.stdlib_module_names)


def declared(extra: str) -> set[str]:
    names: set[str] = set()
    for requirement in [*SETTINGS["project"]["dependencies"], *EXTRAS[extra]]:
        name, inner = re.match(r"([\w.-]+)(?:\[(.*?)\])?", requirement).groups()  # type: ignore[union-attr]
        names |= (
            set().union(*map(declared, inner.split(",")))
            if name == "paced-orders"
            else {name.replace("_", "-").lower()}
        )
    return names | ({"botocore"} if "boto3" in names else set())  # boto3 is a layer upon it


@pytest.mark.parametrize(
    ("extra", "packages"),
    [
        ("lambda", ("orders", "ledger", "producer_lambda")),
        ("consumer", ("orders", "ledger", "consumer")),
        ("cli", ("orders", "ledger", "orders_cli")),
        ("sandbox", ("sandbox",)),
    ],
)
def test_each_program_declares_what_it_imports(extra: str, packages: tuple[str, ...]) -> None:
    distributions = metadata.packages_distributions()

    needed = {
        distributions.get(name, [f"nothing that has {name}"])[0].replace("_", "-").lower()
        for package in packages
        for name in third_party(package)
    }

    assert needed - declared(extra) == set()
