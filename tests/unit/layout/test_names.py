"""One name, one thing: no public name is defined twice in the product, and no file is too long."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("consumer", "ledger", "orders", "orders_cli", "producer_lambda", "sandbox")
BOUNDED = ("consumer", "ledger", "orders", "producer_lambda")
LINES_MAX = 250

# What each program has one of.
ROLES = {"app", "load_settings", "log", "main"}
MODULE_ROLES = {
    "settings",  # of each program
    # The ledger's rules, its ports, and each implementation of them; the command on them.
    *("claims", "closing", "dead_letters", "documents", "fingerprints", "lanes", "ledger"),
    *("pace", "redrives", "upload", "uploads"),
}


def modules(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def is_command(module: Path) -> bool:
    """Functions there are named like the commands that people type."""
    return module.parent.name == "commands"


def public_names(module: Path) -> Iterator[str]:
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        match node:
            case ast.ClassDef(name=name):
                yield name
            case ast.FunctionDef(name=name) if not is_command(module):
                yield name
            case ast.Assign(targets=targets, value=value) if "TypeVar" not in ast.dump(value):
                yield from (
                    name.id
                    for target in targets
                    for name in ast.walk(target)
                    if isinstance(name, ast.Name)
                )
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case _:
                pass


def test_no_public_name_means_two_things() -> None:
    places = defaultdict(set)
    for module in modules(*PACKAGES):
        for name in public_names(module):
            if not name.startswith("_") and name not in ROLES:
                places[name].add(str(module.relative_to(ROOT)))

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_no_two_modules_have_one_name_but_for_one_thing_in_several_roles() -> None:
    places = defaultdict(set)
    for module in modules(*PACKAGES):
        if not module.stem.startswith("__") and module.stem not in MODULE_ROLES:
            places[module.stem].add(str(module.relative_to(ROOT)))

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_no_module_is_too_long_to_hold_in_the_head() -> None:
    lengths = {
        str(module.relative_to(ROOT)): len(module.read_text(encoding="utf-8").splitlines())
        for module in modules(*BOUNDED)
    }

    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX} == {}
