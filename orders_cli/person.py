"""Who is at the terminal?"""

import getpass


def whoami() -> str:
    """The user's name, as pace and pause keep it for others to see."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
