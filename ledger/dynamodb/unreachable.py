"""What a failed call of DynamoDB means for the person who must act."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as NoConnection,
)

from ledger.errors import LedgerRefused, LedgerUnreachable

_THROTTLED = "the table takes no more for now: try again, or raise the account's limits"
_CREDENTIALS = "check the AWS credentials that this process runs with"
_NETWORK = "check the network to this endpoint, and AWS_ENDPOINT_URL"
_HINTS = {
    "ResourceNotFoundException": "deploy infra/pipeline.yaml (or start a sandbox), or point "
    "ORDERS_LEDGER_TABLE, AWS_REGION and AWS_ENDPOINT_URL at an existing one",
    "ValidationException": "the table is not the one of infra/pipeline.yaml, or an item grew too "
    "large; the message says which",
    "AccessDeniedException": "the role may not do this: compare its policy with infra/",
    "LimitExceededException": _THROTTLED,
    "ProvisionedThroughputExceededException": _THROTTLED,
    "RequestLimitExceeded": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "TransactionConflictException": _THROTTLED,
    "ExpiredTokenException": _CREDENTIALS,
    "IncompleteSignatureException": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "MissingAuthenticationTokenException": _CREDENTIALS,
    "UnrecognizedClientException": _CREDENTIALS,
}
# Something is wrong with the call itself: the same call never succeeds.
_REFUSALS = frozenset(
    {"ItemCollectionSizeLimitExceededException", "SerializationException", "ValidationException"}
)
_REFUSED_IN_TRANSACTION = frozenset({"ItemCollectionSizeLimitExceeded", "ValidationError"})


def unreachable(
    error: BotoCoreError | ClientError | ValueError, *, table: str, endpoint: str
) -> LedgerUnreachable:
    """The error to raise from this one; it names the table and the endpoint."""
    kind = LedgerRefused if _is_refusal(error) else LedgerUnreachable
    return kind(
        f"the ledger (table {table} at {endpoint}) did not take a call: {error}",
        hint=hint_of(error),
    )


def _is_refusal(error: BotoCoreError | ClientError | ValueError) -> bool:
    if isinstance(error, ClientError):
        reasons = error.response.get("CancellationReasons", [])
        codes = {reason.get("Code") for reason in reasons}
        return error.response["Error"]["Code"] in _REFUSALS or bool(codes & _REFUSED_IN_TRANSACTION)
    return isinstance(error, ParamValidationError)


def hint_of(error: BotoCoreError | ClientError | ValueError) -> str:
    """What the person who reads the error should do, as a clause."""
    match error:
        case ClientError():
            code = error.response["Error"]["Code"]
            return _HINTS.get(code, "DynamoDB had a fault of its own: try again")
        case NoRegionError():
            return "set AWS_DEFAULT_REGION, which boto3 reads, to the region of the table"
        case NoCredentialsError() | CredentialRetrievalError() | TokenRetrievalError():
            return _CREDENTIALS
        case HTTPClientError() | NoConnection():
            return _NETWORK
        case ValueError():
            return "AWS_ENDPOINT_URL must be a URL such as http://127.0.0.1:4566"
        case _:
            return "the message above says what the AWS library could not do"
