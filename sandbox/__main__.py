"""How is a sandbox started where the `orders` command would take too long to load?"""

import argparse
import sys
from pathlib import Path

from orders.rate import parse_rate
from sandbox.sandbox_errors import SandboxError
from sandbox.sandbox_options import SandboxOptions
from sandbox.up import run_sandbox


def main() -> int:
    """Keep a sandbox up until a signal; 0, 2 for wrong use, 5 where a part does not come up."""
    try:
        run_sandbox(_options(), _say)
    except SandboxError as error:
        _say(str(error))
        return error.exit_code
    return 0


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _options() -> SandboxOptions:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--dir", dest="folder", type=Path, required=True)
    parser.add_argument("--rate", type=parse_rate, default="1/s")
    parser.add_argument("--api-rate", type=parse_rate)
    parser.add_argument("--shards", type=int, default=1)
    for port in ("aws", "api", "metrics"):
        parser.add_argument(f"--{port}-port", type=int, default=0)
    parser.add_argument("--no-consumer", dest="consumer", action="store_false")
    return SandboxOptions(**vars(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
