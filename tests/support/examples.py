"""How many examples does a long property test try?"""

import os

SHARE = 5


def examples(most: int) -> int:
    """All of them where CI=true; a fifth of them here, where chance picks others at every run."""
    return most if os.environ.get("CI") == "true" else most // SHARE
