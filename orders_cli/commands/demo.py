"""orders demo: the whole system on this machine, judged promise by promise."""

import signal
from types import FrameType

import typer

from orders_cli.command_options import command_app, examples
from orders_cli.demo.narrator import Narrator
from orders_cli.demo.play import play_demo
from orders_cli.failures import ExitCode
from orders_cli.output import say

app = command_app()


@app.command(epilog=examples("orders demo"))
def demo() -> None:
    """Watch the whole system at work.

    It runs on this machine for about a minute. A file goes through real S3 events, Lambda, Kinesis,
    KCL and DynamoDB (embedded) to an API that takes one order a second. Then the consumer is
    killed, superseded and made faster, and the API breaks down. At the end every promise is judged
    by what the API received. Exit code 0 only if each of them was kept.
    """
    signal.signal(signal.SIGTERM, _like_ctrl_c)
    try:
        kept = play_demo(Narrator())
    except KeyboardInterrupt as error:
        say("The demo was stopped; everything is cleaned up.")
        raise typer.Exit(ExitCode.STOPPED_WATCHING) from error
    raise typer.Exit(ExitCode.DONE if kept else ExitCode.PROBLEMS)


def _like_ctrl_c(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
