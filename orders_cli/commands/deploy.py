"""orders deploy: make or change the system of an environment, from its saved parameters."""

from pathlib import Path
from typing import Annotated

import typer

from orders_cli.command_options import Yes, command_app, examples
from orders_cli.deploy.account import DeployAccount, open_account
from orders_cli.deploy.consumer_rollout import plan_consumer
from orders_cli.deploy.pipeline_rollout import plan_pipeline
from orders_cli.deploy.stack_plan import StackPlan
from orders_cli.failures import CommandFailed
from orders_cli.output import answer, say

app = command_app()


@app.command(
    epilog=examples(
        "orders deploy --environment test --plan",
        "orders deploy --environment prod",
        "orders deploy --environment prod --file ~/shop/orders.toml --yes",
    )
)
def deploy(
    environment: Annotated[str, typer.Option(help="An environment of the file.")] = "prod",
    file: Annotated[Path, typer.Option(help="The saved parameters.")] = Path("orders.toml"),
    plan: Annotated[
        bool,
        typer.Option(
            "--plan", help="Show what would change; stores code and image, changes no stack."
        ),
    ] = False,
    yes: Yes = False,
) -> None:
    """Build, and create or change the stacks of an environment.

    Shows first what would change. A change that would replace or remove what holds orders (stream,
    tables, bucket) is refused. Run twice, it changes nothing the second time. docs/deploy.md has
    an orders.toml to begin with, and every step as plain commands.
    """
    account = open_account(file, environment)
    planned = plan_pipeline(account)
    _carry_out(account, planned, only_plan=plan, yes=yes)
    if account.environment.has_consumer:
        _carry_out(account, plan_consumer(account), only_plan=plan, yes=yes)
    if not plan:
        say(f'Next: eval "$(orders env --environment {environment} --file {file})"; orders doctor')


def _carry_out(account: DeployAccount, plan: StackPlan, *, only_plan: bool, yes: bool) -> None:
    stacks, is_done = account.stacks, False
    for line in plan.lines:
        answer(line)
    try:
        if plan.losses:
            lost = ", ".join(one.sentence for one in plan.losses)
            raise CommandFailed(
                f"Refused: the change of {plan.stack} would {lost}; orders would be lost.",
                hint="Nothing was changed. Undo what asks for it; a new name is a new system.",
            )
        if only_plan or plan.is_empty:
            return
        account.confirm(f"change the stack {plan.stack}", yes=yes)
        is_done = True
        stacks.carry_out(plan)
    finally:
        if not is_done:
            stacks.drop(plan)
