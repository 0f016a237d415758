"""Run the consumer's worker: `python -m consumer`, configured by ORDERS_... variables only."""

import sys

from consumer.ending import die, leave
from consumer.settings import SettingsError, load_settings


def main() -> int:
    """Run until a signal; the exit code (see docs/operations.md)."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    from consumer.worker.run import run  # noqa: PLC0415 - a wrong setting shows at once

    try:
        return run(settings)
    except BaseException as error:  # noqa: BLE001 - half a worker must not live on
        die(error)


if __name__ == "__main__":
    leave(main())
