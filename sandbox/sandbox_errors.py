"""Errors that keep the sandbox from starting or running.

SandboxError(sentence, exit_code)
+- WrongUse         2: an option, a folder or a port that a person must change
+- OutOfReach       5: a part that does not come up, or that ended by itself
"""

from typing import ClassVar


class SandboxError(Exception):
    """One sentence that says what is wrong and what to do; `exit_code` is that of the command."""

    exit_code: ClassVar[int]


class WrongUse(SandboxError):
    """A person asked for something that is not possible."""

    exit_code = 2


class OutOfReach(SandboxError):
    """A part of the sandbox does not answer."""

    exit_code = 5
