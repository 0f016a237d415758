"""How does each command's `--help` look, so that it teaches by example?"""

import typer

_AS_IT_IS = "\b"
"""Before a paragraph of help: its lines are not wrapped."""


def command_app() -> typer.Typer:
    """The app of one command or group, set up like all others."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def examples(*lines: str) -> str:
    """The end of a command's help: what one may type."""
    title = "Example:" if len(lines) == 1 else "Examples:"
    return "\n".join([_AS_IT_IS, title, *(f"  {line}" for line in lines)])
