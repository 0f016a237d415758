"""Which moment does a person mean by `--until`?"""

import re
from datetime import datetime, timedelta

from orders_cli.failures import UsageWrong

GRAMMAR = "a length of time (90m, 2h, 3d), a time of day (18:00) or a date-time (2026-12-24T18:00)"

_LENGTH = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_until(text: str, *, now: datetime) -> float:
    """The moment in seconds since the epoch; a time of day is the next one.

    now: with its time zone, which also holds for what the text leaves open. Raises UsageWrong.
    """
    at = _moment(text, now)
    if at <= now.timestamp():
        raise UsageWrong(f"--until {text} is not in the future.")
    return at


def _moment(text: str, now: datetime) -> float:
    found = _LENGTH.fullmatch(text)
    if found:
        return now.timestamp() + int(found[1]) * _UNIT_SECONDS[found[2]]
    found = _TIME_OF_DAY.fullmatch(text)
    if found:
        today = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
        return (today if today > now else today + timedelta(days=1)).timestamp()
    try:
        meant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageWrong(f"--until {text!r} is no moment; write {GRAMMAR}.") from error
    return (meant if meant.tzinfo else meant.replace(tzinfo=now.tzinfo)).timestamp()


def local_now() -> datetime:
    """This moment in this machine's time zone."""
    return datetime.now().astimezone()
