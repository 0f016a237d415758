"""Run the consumer's worker: `python -m consumer`, configured by ORDERS_... variables alone."""

import sys

from consumer.settings import SettingsError, load_settings


def main() -> int:
    """Run until a signal; the exit code (see docs/operations.md)."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    from consumer.worker.run import run  # noqa: PLC0415 - a wrong setting shows at once

    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
