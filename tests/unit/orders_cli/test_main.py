import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer

from orders_cli.main import COMMANDS, app


def helps() -> Iterator[tuple[str, str]]:
    """Each command and command of a group, with its help."""
    root = typer.main.get_command(app)
    context = typer.Context(root, info_name="orders")
    for name in COMMANDS:
        command = root.get_command(context, name)  # type: ignore[attr-defined]
        inner = typer.Context(command, parent=context, info_name=name)
        yield name, command.get_help(inner)
        for sub in getattr(command, "commands", {}):
            nested = typer.Context(command.commands[sub], parent=inner, info_name=sub)
            yield f"{name} {sub}", command.commands[sub].get_help(nested)


def test_every_command_teaches_by_an_example_of_itself() -> None:
    taught = dict(helps())

    assert len(taught) >= 18
    for name, text in taught.items():
        assert "Example" in text, name
        assert f"\n    orders {name.split(maxsplit=1)[0]}" in text, name


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("main", {"boto3", "botocore", "pydantic", "requests", "rich"}),
        ("commands.status", {"requests", "rich", "sandbox.up", "consumer.settings"}),
    ],
)
def test_a_command_imports_only_what_it_needs(module: str, absent: set[str]) -> None:
    program = f"import sys, orders_cli.{module}; print(*sys.modules)"

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert not absent & set(ended.stdout.split())
