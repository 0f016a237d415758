"""orders destroy: take the system of an environment down, and keep the orders."""

from pathlib import Path
from typing import Annotated

import typer

from orders_cli.command_options import Yes, command_app, examples
from orders_cli.deploy.account import open_account
from orders_cli.deploy.leftovers import delete_orders, orders_kept
from orders_cli.output import answer, say

app = command_app()


@app.command(
    epilog=examples(
        "orders destroy --environment test",
        "orders destroy --environment test --with-orders",
    )
)
def destroy(
    environment: Annotated[str, typer.Option(help="An environment of the file.")],
    file: Annotated[Path, typer.Option(help="The saved parameters.")] = Path("orders.toml"),
    with_orders: Annotated[
        bool, typer.Option("--with-orders", help="Delete bucket, stream and tables for good, too.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Delete the stacks of an environment: the consumer's first, then the pipeline's.

    Keeps what holds orders or knows of them (bucket, stream, ledger, KCL's tables, the intake's
    dead-letter queue) unless --with-orders is given. The bucket of the code is kept: it costs next
    to nothing.
    """
    account = open_account(file, environment)
    kept = orders_kept(account)
    loss = f", and delete all orders for good ({', '.join(kept)})" if with_orders else ""
    account.confirm(f"delete the stacks of {environment}{loss}", yes=yes)
    for template in ("consumer", "pipeline"):
        stack = account.environment.stack_name(template)
        is_deleted = account.stacks.delete(stack)
        answer(f"{stack}: {'deleted' if is_deleted else 'there is no such stack'}")
    if with_orders:
        delete_orders(account, answer)
        return
    say("orders: kept, where it exists:")
    for name in kept:
        answer(f"  kept: {name}")
