"""What the commands share: how each is set up, their options, and how option values are read."""

import getpass
import re
from datetime import datetime, timedelta
from typing import Annotated

import typer

from orders.rate import Rate, RateError, parse_rate
from orders_cli.failures import UsageWrong

AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before changing a real account.")]
UploadName = Annotated[
    str, typer.Argument(metavar="UPLOAD", help="Its id, or the first characters of it.")
]
OfUpload = Annotated[
    str | None,
    typer.Option("--upload", help="Only of this upload: its id, or the first characters."),
]

UNTIL_GRAMMAR = "a duration (90m, 2h, 3d), a time of day (18:00) or a date-time (2026-12-24T18:00)"
_DURATION = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_VERBATIM = "\b"
"""Before a paragraph of help: its lines are not wrapped."""


def command_app() -> typer.Typer:
    """The app of one command or group."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def examples(*lines: str) -> str:
    """The end of a command's help: what to type."""
    title = "Example:" if len(lines) == 1 else "Examples:"
    return "\n".join([_VERBATIM, title, *(f"  {line}" for line in lines)])


def whoami() -> str:
    """The user's name, which pace and pause keep for others to see."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def rate_option(text: str) -> Rate:
    """The rate that was typed. Raises UsageWrong with the grammar."""
    try:
        return parse_rate(text)
    except RateError as error:
        raise UsageWrong(f"{str(error)[0].upper()}{str(error)[1:]}.") from error


def until_option(text: str | None, *, now: datetime | None = None) -> float | None:
    """The time that `--until` means, in seconds since the epoch; a time of day is the next one.

    now: with its time zone, which also applies where the text names none; None: the clock's, in
    this machine's time zone. Raises UsageWrong.
    """
    if text is None:
        return None
    now = now or datetime.now().astimezone()
    at = _time_of(text, now).timestamp()
    if at <= now.timestamp():
        raise UsageWrong(f"--until {text} is not in the future.")
    return at


def _time_of(text: str, now: datetime) -> datetime:
    found = _DURATION.fullmatch(text)
    if found:
        return now + timedelta(seconds=int(found[1]) * _UNIT_SECONDS[found[2]])
    found = _TIME_OF_DAY.fullmatch(text)
    if found:
        today = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)
    try:
        meant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageWrong(f"--until {text!r} is not a time; write {UNTIL_GRAMMAR}.") from error
    return meant if meant.tzinfo else meant.replace(tzinfo=now.tzinfo)
