"""How is a sandbox started where there is no `orders` command yet?"""

import argparse
import sys
from pathlib import Path

from orders.rate import RateError, parse_rate
from sandbox.errors import SandboxError
from sandbox.options import SandboxOptions
from sandbox.up import run_sandbox


def main() -> int:
    """Keep a sandbox up until a signal; 0, 2 for wrong use, 5 where a part does not come up."""
    try:
        run_sandbox(_options(), _say)
    except SandboxError as error:
        _say(str(error))
        return error.exit_code
    except RateError as error:
        _say(f"{error}.")
        return 2
    return 0


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _options() -> SandboxOptions:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--rate", default="1/s")
    parser.add_argument("--api-rate")
    parser.add_argument("--shards", type=int, default=1)
    for port in ("aws", "api", "metrics"):
        parser.add_argument(f"--{port}-port", type=int, default=0)
    parser.add_argument("--no-consumer", action="store_true")
    asked = parser.parse_args()
    return SandboxOptions(
        folder=asked.dir,
        rate=parse_rate(asked.rate),
        api_rate=None if asked.api_rate is None else parse_rate(asked.api_rate),
        shards=asked.shards,
        aws_port=asked.aws_port,
        api_port=asked.api_port,
        metrics_port=asked.metrics_port,
        consumer=not asked.no_consumer,
    )


if __name__ == "__main__":
    sys.exit(main())
