"""Checks before an upload: would a file that is stored now be read, and would the ledger show it?

Done before anything is stored: a stored file is read and sent, whatever the command says later.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from orders_cli.bucket import without_versions
from orders_cli.failures import SettingWrong

if TYPE_CHECKING:
    from orders_cli.aws import Aws

_QUEUES, _EVENTBRIDGE = "QueueConfigurations", "EventBridgeConfiguration"
_ARNS = {
    _QUEUES: "QueueArn",
    "TopicConfigurations": "TopicArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}
_CREATED = "s3:ObjectCreated:"
_NOT_ALLOWED = frozenset(
    {"AccessDenied", "AllAccessDisabled", "MethodNotAllowed", "NotImplemented"}
)

Found = TypeVar("Found")


def check_ready(aws: "Aws", key: str) -> None:
    """Check ledger and bucket as an upload under this key needs them; changes nothing.

    Raises SettingWrong, LedgerUnreachable, and errors of AWS as botocore raises them. What the
    caller is not allowed to read is skipped.
    """
    aws.ledger.read_pace()
    next(iter(aws.ledger.open_accounts()), None)  # the table has the index, so it is a ledger's
    bucket = aws.bucket
    if _if_allowed(bucket.keeps_versions) is False:
        raise without_versions(bucket.name)
    configuration = _if_allowed(
        lambda: aws.s3.get_bucket_notification_configuration(Bucket=bucket.name)
    )
    if configuration is not None:
        check_listener(configuration, bucket.name, key, aws.settings.intake_queue_url)


def check_listener(
    configuration: Mapping[str, Any], bucket: str, key: str, intake_queue_url: str | None
) -> None:
    """Raise SettingWrong where nothing, or another pipeline, is notified of a new object.

    configuration: the bucket's notification configuration, as S3 returns it.
    """
    if _EVENTBRIDGE in configuration:
        return
    listeners = {
        kind: list(_listeners(configuration.get(kind, []), arn, key)) for kind, arn in _ARNS.items()
    }
    if not any(listeners.values()):
        raise SettingWrong(
            f"Nothing would read the file: the bucket {bucket} (ORDERS_BUCKET) notifies nobody of "
            f"a new object {key};",
            hint="compare ORDERS_BUCKET and ORDERS_UPLOAD_PREFIX with the pipeline's stack.",
        )
    queues = listeners.pop(_QUEUES)
    if not intake_queue_url or any(listeners.values()):
        return
    intake = intake_queue_url.rstrip("/").rpartition("/")[2]
    if all(queue.rpartition(":")[2] != intake for queue in queues):
        raise SettingWrong(
            f"The bucket {bucket} (ORDERS_BUCKET) notifies {', '.join(queues)} of new objects, "
            f"not the queue {intake} (ORDERS_INTAKE_QUEUE_URL): these are two pipelines;",
            hint="take all ORDERS_ settings from the outputs of one stack.",
        )


def _listeners(configurations: Sequence[Mapping[str, Any]], arn: str, key: str) -> Iterator[str]:
    for one in configurations:
        rules = one.get("Filter", {}).get("Key", {}).get("FilterRules", [])
        created = any(event.startswith(_CREATED) for event in one.get("Events", []))
        if created and all(_matches(rule, key) for rule in rules):
            yield str(one[arn])


def _matches(rule: Mapping[str, str], key: str) -> bool:
    value = rule.get("Value", "")
    if rule.get("Name", "").lower() == "prefix":
        return key.startswith(value)
    return key.endswith(value)


def _if_allowed(call: Callable[[], Found]) -> Found | None:
    """What a call returns; None where the caller has no permission."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in _NOT_ALLOWED:
            return None
        raise
