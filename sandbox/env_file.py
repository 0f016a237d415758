"""How does a shell learn the sandbox's environment?"""

import re
import shlex

from sandbox.environment import SandboxEnvironment

_LINE = re.compile(r"export ([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def env_file(environment: SandboxEnvironment) -> str:
    """One `export NAME=value` or `unset NAME` a line, quoted so that a shell expands nothing."""
    lines = [f"unset {name}" for name in environment.unset]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in environment.set.items()]
    return "\n".join(lines) + "\n"


def read_env_file(text: str) -> SandboxEnvironment:
    """The environment that a sandbox.env holds, without a shell."""
    told: dict[str, str] = {}
    unset: list[str] = []
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        if found is not None:
            told[found[1]] = "".join(shlex.split(found[2]))
        else:
            unset.append(line.removeprefix("unset "))
    return SandboxEnvironment(told, tuple(unset))
