"""orders env: the settings of the other commands, from the outputs of a deployed stack."""

from pathlib import Path
from typing import Annotated

import typer

from orders_cli.command_options import AsJson, command_app, examples
from orders_cli.deploy.account import open_account
from orders_cli.deploy.command_environment import command_environment, export_lines
from orders_cli.failures import SettingWrong
from orders_cli.json_documents import document
from orders_cli.output import answer, answer_json

app = command_app()


@app.command(
    epilog=examples(
        'eval "$(orders env --environment prod)" && orders status',
        "orders env --environment prod --json",
    )
)
def env(
    environment: Annotated[str, typer.Option(help="An environment of the file.")] = "prod",
    file: Annotated[Path, typer.Option(help="The saved parameters.")] = Path("orders.toml"),
    as_json: AsJson = False,
) -> None:
    """Print the environment variables with which `orders` acts on a deployed system."""
    account = open_account(file, environment)
    stack = account.environment.stack_name("pipeline")
    outputs = account.stacks.outputs(stack)
    if outputs is None:
        raise SettingWrong(f"There is no stack {stack}.", hint="Run `orders deploy` first.")
    variables = command_environment(
        outputs, account.stacks.parameters(stack), region=account.region
    )
    if as_json:
        answer_json(document(variables=variables))
        return
    for line in export_lines(variables):
        answer(line)
