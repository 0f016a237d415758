"""How does the worker's log look?"""

import logging
import sys
import time


def begin_log(level: str) -> None:
    """Log to stderr, one line an event, in UTC; `level` is a name of logging."""
    formatter = logging.Formatter(
        "{asctime}.{msecs:03.0f}Z {levelname:<5} worker {name}: {message}",
        datefmt="%Y-%m-%dT%H:%M:%S",
        style="{",
    )
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.raiseExceptions = False  # a log that nobody takes must end nothing
    for talkative in ("boto3", "botocore", "urllib3", "uvicorn", "asyncio"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
