"""Build what the pipeline's stack needs, and plan that stack."""

from pathlib import Path

from orders_cli.deploy.account import DeployAccount
from orders_cli.deploy.artifacts import (
    artifact_bucket,
    find_layer,
    make_bucket,
    publish_layer,
    store_archive,
)
from orders_cli.deploy.layer import build_layer, check_unpacked, runtime_of
from orders_cli.deploy.stack_parameters import stack_parameters
from orders_cli.deploy.stack_plan import StackPlan
from orders_cli.output import say
from sandbox.code_archive import CHECKOUT, code_archive


def plan_pipeline(account: DeployAccount, *, checkout: Path = CHECKOUT) -> StackPlan:
    """Store code and layer, and make the change set. Raises CommandFailed."""
    environment = account.environment
    body = (checkout / "infra" / "pipeline.yaml").read_text(encoding="utf-8")
    bucket = artifact_bucket(environment.application, account.account, account.region)
    made = {"CodeBucket": bucket, "CodeKey": ""}
    stack_parameters(environment, "pipeline", body, made)  # a wrong name costs no build
    code, layer = code_archive(checkout), b""
    has_own_layer = "LayerArn" in environment.pipeline
    python, platform = runtime_of(body)
    if not has_own_layer:
        requirements = checkout / "requirements-lambda.txt"
        layer = build_layer(requirements, python=python, platform=platform)
    unpacked = check_unpacked(*(one for one in (code, layer) if one))
    say(
        f"orders: code {len(code) / 1e6:.2f} MB, layer {len(layer) / 1e6:.2f} MB, "
        f"{unpacked / 1e6:.1f} MB unpacked"
    )
    s3 = account.session.client("s3", config=account.config)
    make_bucket(
        s3,
        bucket,
        region=account.region,
        partition=account.partition,
        account=account.account,
    )
    made["CodeKey"] = store_archive(s3, bucket, "producer", code)
    if not has_own_layer:
        lambdas = account.session.client("lambda", config=account.config)
        name = f"{environment.application}-dependencies"
        key = store_archive(s3, bucket, "layer", layer)
        made["LayerArn"] = find_layer(lambdas, name, layer) or publish_layer(
            lambdas, name, layer, bucket=bucket, key=key, python=python
        )
    parameters = stack_parameters(environment, "pipeline", body, made)
    return account.stacks.plan(environment.stack_name("pipeline"), body, parameters)
