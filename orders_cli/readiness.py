"""Would a file that is stored now be read, and would the ledger show it?

Asked before anything is stored: a stored file is read and sent, whatever the command says after.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from orders_cli.failures import SettingWrong

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from orders_cli.opening import Opened

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


def check_ready(opened: "Opened", key: str) -> None:
    """Look at ledger and bucket as an upload under this key needs them; changes nothing.

    Raises SettingWrong, LedgerUnreachable, and errors of AWS as botocore raises them. What the
    caller is not allowed to look at is passed over.
    """
    ledger, storage = opened.ledger, opened.storage
    ledger.read_pace()
    next(iter(ledger.open_accounts()), None)  # the table has the index, so it is a ledger's
    if _keeps_versions(opened.s3, storage.bucket) is False:
        raise SettingWrong(
            f"The bucket {storage.bucket} (ORDERS_BUCKET) keeps no versions;",
            hint="switch versioning on, as infra/pipeline.yaml does.",
        )
    told = _notifications(opened.s3, storage.bucket)
    if told is not None:
        check_listener(told, storage.bucket, key, opened.settings.intake_queue_url)


def check_listener(
    told: Mapping[str, Any], bucket: str, key: str, intake_queue_url: str | None
) -> None:
    """Raise SettingWrong where nothing, or another pipeline, hears of a new object.

    told: the bucket's notification configuration, as S3 answers it.
    """
    if _EVENTBRIDGE in told:
        return
    listeners = {
        kind: list(_listeners(told.get(kind, []), arn, key)) for kind, arn in _ARNS.items()
    }
    if not any(listeners.values()):
        raise SettingWrong(
            f"Nothing would read the file: the bucket {bucket} (ORDERS_BUCKET) tells nobody of a "
            f"new object {key};",
            hint="compare ORDERS_BUCKET and ORDERS_UPLOAD_PREFIX with the pipeline's stack.",
        )
    queues = listeners.pop(_QUEUES)
    if not intake_queue_url or any(listeners.values()):
        return
    intake = intake_queue_url.rstrip("/").rpartition("/")[2]
    if all(queue.rpartition(":")[2] != intake for queue in queues):
        raise SettingWrong(
            f"The bucket {bucket} (ORDERS_BUCKET) tells {', '.join(queues)} of new objects, "
            f"not the queue {intake} (ORDERS_INTAKE_QUEUE_URL): these are two pipelines;",
            hint="take all ORDERS_ settings from the outputs of one stack.",
        )


def _listeners(configurations: Sequence[Mapping[str, Any]], arn: str, key: str) -> Iterator[str]:
    for one in configurations:
        rules = one.get("Filter", {}).get("Key", {}).get("FilterRules", [])
        created = any(event.startswith(_CREATED) for event in one.get("Events", []))
        if created and all(_holds(rule, key) for rule in rules):
            yield str(one[arn])


def _holds(rule: Mapping[str, str], key: str) -> bool:
    value = rule.get("Value", "")
    if rule.get("Name", "").lower() == "prefix":
        return key.startswith(value)
    return key.endswith(value)


def _keeps_versions(s3: "S3Client", bucket: str) -> bool | None:
    try:
        return s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
    except ClientError as error:
        if _is_forbidden(error):
            return None
        raise


def _notifications(s3: "S3Client", bucket: str) -> Mapping[str, Any] | None:
    try:
        return dict(s3.get_bucket_notification_configuration(Bucket=bucket))
    except ClientError as error:
        if _is_forbidden(error):
            return None
        raise


def _is_forbidden(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in _NOT_ALLOWED
