"""Deploy the pipeline to the embedded AWS."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from orders.rate import Rate
from sandbox.code_archive import CHECKOUT, code_archive
from sandbox.embedded_aws import EmbeddedClients
from sandbox.sandbox_errors import OutOfReach

TEMPLATE = CHECKOUT / "infra" / "pipeline.yaml"
_STACK = "orders-pipeline"
_CODE_BUCKET = "orders-sandbox-code"
_CODE_KEY = "producer.zip"
_LIMIT_SECONDS = 30.0
_POLL_SECONDS = 0.05
# In AWS a run may take 15 minutes and its message stays hidden for longer. Here a person watches:
# an upload whose run failed is tried again within seconds.
_FUNCTION_SECONDS = 15
_VISIBILITY_SECONDS = 15
_MAX_RECEIVE_COUNT = 3


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The names of what was deployed."""

    bucket: str
    intake_queue_url: str
    stream: str
    ledger_table: str


def deploy_pipeline(
    clients: EmbeddedClients,
    *,
    application: str,
    rate: Rate,
    shards: int,
    around: Mapping[str, str],
) -> Pipeline:
    """Put the producer's code into a bucket and create the stack. Raises OutOfReach.

    `around` is this process's environment; what it does not set keeps the template's default.
    """
    parameters = {
        "Application": application,
        "CodeBucket": _CODE_BUCKET,
        "CodeKey": _CODE_KEY,
        "FunctionSeconds": str(_FUNCTION_SECONDS),
        "VisibilitySeconds": str(_VISIBILITY_SECONDS),
        "MaxReceiveCount": str(_MAX_RECEIVE_COUNT),
        "ShardCount": str(shards),
        "Rate": str(rate),
        "Lanes": around.get("ORDERS_LANES"),
        "OrderModel": around.get("ORDERS_ORDER_MODEL"),
        "OrderIdField": around.get("ORDERS_ORDER_ID_FIELD"),
        "OrderMapping": around.get("ORDERS_ORDER_MAPPING"),
        "Duplicates": around.get("ORDERS_DUPLICATES"),
        "RetentionHours": around.get("ORDERS_RETENTION_HOURS"),
        "ShardBytesPerSecond": around.get("ORDERS_SHARD_BYTES_PER_SECOND"),
    }
    try:
        clients.s3.create_bucket(Bucket=_CODE_BUCKET)
        clients.s3.put_object(Bucket=_CODE_BUCKET, Key=_CODE_KEY, Body=code_archive())
        clients.cloudformation.create_stack(
            StackName=_STACK,
            TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
                if value
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        outputs = _outputs(clients)
    except (ClientError, BotoCoreError) as error:
        raise OutOfReach(f"The pipeline could not be deployed: {error}.") from error
    return Pipeline(
        outputs["BucketName"],
        outputs["IntakeQueueUrl"],
        outputs["StreamName"],
        outputs["LedgerTableName"],
    )


def _outputs(clients: EmbeddedClients) -> Mapping[str, str]:
    deadline = time.monotonic() + _LIMIT_SECONDS
    while True:
        stack = clients.cloudformation.describe_stacks(StackName=_STACK)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {
                output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])
            }
        if stack["StackStatus"] != "CREATE_IN_PROGRESS" or time.monotonic() > deadline:
            raise OutOfReach(
                f"The pipeline could not be deployed: its stack is {stack['StackStatus']}"
                f"{_first_failure(clients)}."
            )
        time.sleep(_POLL_SECONDS)


def _first_failure(clients: EmbeddedClients) -> str:
    events = clients.cloudformation.describe_stack_events(StackName=_STACK)["StackEvents"]
    for event in reversed(events):
        if event.get("ResourceStatus", "").endswith("_FAILED"):
            return f", {event.get('LogicalResourceId')}: {event.get('ResourceStatusReason')}"
    return ""
