"""orders sandbox: the whole system on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from orders_cli.command_options import command_app, examples, rate_option
from orders_cli.failures import CommandFailed, ExitCode
from orders_cli.output import say
from sandbox.sandbox_errors import SandboxError
from sandbox.sandbox_options import SandboxOptions
from sandbox.up import run_sandbox

app = command_app()

_Port = Annotated[int, typer.Option(min=0, max=65_535, help="0: a free one.")]


@app.callback(epilog=examples("orders sandbox up --dir /tmp/sandbox --rate 5/s"))
def sandbox() -> None:
    """Run the whole system on this machine.

    AWS, the pipeline, the API and the consumer, to try things out.
    """


@app.command(
    epilog=examples(
        "orders sandbox up --dir /tmp/sandbox --rate 5/s",
        ". /tmp/sandbox/sandbox.env; orders upload orders.jsonl --wait   (in another terminal)",
    )
)
def up(
    *,
    folder: Annotated[Path, typer.Option("--dir", help="Everything it writes goes here.")],
    rate: Annotated[str, typer.Option(help="The consumer's pace, and the API's limit.")] = "1/s",
    api_rate: Annotated[
        str | None, typer.Option(metavar="RATE|none", help="The API's limit, if it differs.")
    ] = None,
    shards: Annotated[int, typer.Option(min=1, help="Shards of the stream.")] = 1,
    aws_port: _Port = 0,
    api_port: _Port = 0,
    metrics_port: _Port = 0,
    no_consumer: Annotated[
        bool, typer.Option("--no-consumer", help="Run `python -m consumer` yourself.")
    ] = False,
) -> None:
    """Start everything and keep it running until Ctrl-C; the next `up` starts fresh.

    Once everything answers, DIR/sandbox.env holds the environment for other terminals and
    DIR/processes.json lists the processes by role.
    """
    try:
        options = SandboxOptions(
            folder,
            rate_option(rate),
            api_rate=None if api_rate is None else rate_option(api_rate),
            shards=shards,
            aws_port=aws_port,
            api_port=api_port,
            metrics_port=metrics_port,
            consumer=not no_consumer,
        )
        run_sandbox(options, say)
    except SandboxError as error:
        raise SandboxFailed(error) from error


class SandboxFailed(CommandFailed):
    """The sandbox could not start, or could not continue."""

    def __init__(self, error: SandboxError) -> None:
        super().__init__(str(error))
        self.exit_code = ExitCode(error.exit_code)
