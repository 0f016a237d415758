"""The settings of the `orders` command, from a stack's outputs and parameters."""

import shlex
from collections.abc import Mapping

_OUTPUTS = {
    "ORDERS_LEDGER_TABLE": "LedgerTableName",
    "ORDERS_BUCKET": "BucketName",
    "ORDERS_STREAM": "StreamName",
    "ORDERS_LEASE_TABLE": "LeaseTableName",
    "ORDERS_INTAKE_QUEUE_URL": "IntakeQueueUrl",
    "ORDERS_INTAKE_DEAD_LETTER_URL": "IntakeDeadLetterQueueUrl",
}
_PARAMETERS = {
    "ORDERS_UPLOAD_PREFIX": "UploadPrefix",
    "ORDERS_REPORT_PREFIX": "ReportPrefix",
    "ORDERS_RETENTION_HOURS": "RetentionHours",
    "ORDERS_LINE_BYTES": "LineBytes",
    "ORDERS_CSV_DELIMITER": "CsvDelimiter",
    "ORDERS_ORDER_MODEL": "OrderModel",
    "ORDERS_ORDER_ID_FIELD": "OrderIdField",
    "ORDERS_ORDER_MAPPING": "OrderMapping",
    "ORDERS_DUPLICATES": "Duplicates",
}


def command_environment(
    outputs: Mapping[str, str], parameters: Mapping[str, str], *, region: str
) -> dict[str, str]:
    """Variable to value, those that are set alone."""
    found = {"AWS_REGION": region}
    found |= {variable: outputs.get(name, "") for variable, name in _OUTPUTS.items()}
    found |= {variable: parameters.get(name, "") for variable, name in _PARAMETERS.items()}
    return {variable: value for variable, value in found.items() if value}


def export_lines(variables: Mapping[str, str]) -> list[str]:
    """What a shell takes: `eval "$(orders env)"`."""
    return [f"export {variable}={shlex.quote(value)}" for variable, value in variables.items()]
