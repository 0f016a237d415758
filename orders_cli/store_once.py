"""Storing a file once, and finding its version, whatever responses are lost on the way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import fstat
from time import sleep
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    SSLError,
)

from ledger.uploads.upload import Source
from orders_cli.bucket import PRECONDITION_FAILED, Stored
from orders_cli.failures import CommandFailed, ExitCode

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from orders_cli.bucket import UploadBucket

_STORES = ("PutObject", "CompleteMultipartUpload")
"""The calls that create the object."""
PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""S3 may store a file some moments after we gave up waiting for its response."""
_SERVER_ERROR = 500


class StoredInDoubt(CommandFailed):
    """The file is stored, or may be, but its upload id is unknown."""

    exit_code = ExitCode.AWS_UNREACHABLE


@dataclass(slots=True)
class _Result:
    """What is known of the object.

    is_in_doubt: an attempt ended so that S3 may have stored it, or may still do so.
    """

    version: str = ""
    etag: str = ""
    is_in_doubt: bool = False


def store_file(
    bucket: "UploadBucket", file: BinaryIO, key: str, on_bytes: Callable[[int], None]
) -> Stored:
    """Store a file under a new key, in parts where it is large.

    Without a clear response the bucket is queried for some seconds. Errors of AWS mean that nothing
    is stored. Raises StoredInDoubt.

    on_bytes: told how many more bytes were sent, from several threads.
    """
    size_bytes = fstat(file.fileno()).st_size
    result = _Result()
    try:
        with _only_once(bucket.client, result):
            bucket.client.upload_fileobj(file, bucket.name, key, Callback=on_bytes)
    except (BotoCoreError, ClientError) as error:
        if result.is_in_doubt or may_be_stored(error):
            # A repeated call whose first response was lost meets its own object.
            return find_late(bucket, key, error, wait=sleep)
        raise
    except KeyboardInterrupt as error:
        if result.is_in_doubt and find_in_doubt(bucket, key) is None:
            raise _not_there_yet(key, "it was stopped") from error
        raise
    if not result.version or result.version == "null":
        raise StoredInDoubt(
            f"The file IS stored as {key} and will be read and sent, but {bucket.name} keeps no "
            "versions, so its upload id is not known here.",
            hint="Do not upload it again; `orders uploads` lists it by its key.",
        )
    return Stored(Source(bucket.name, key, result.version, result.etag, size_bytes))


def find_in_doubt(bucket: "UploadBucket", key: str) -> Stored | None:
    """What a call without a response stored, None for nothing. Raises StoredInDoubt."""
    try:
        return bucket.find(key)
    except (BotoCoreError, ClientError, CommandFailed) as error:
        raise StoredInDoubt(
            f"It is unknown whether the file was stored as {key}: {error}",
            hint="If it was, it will be read and sent: look for the key with `orders uploads` "
            "before you upload it again.",
        ) from error


def may_be_stored(error: Exception) -> bool:
    """May the object be stored, now or in a moment, although its call ended with this error?

    Not where S3 rejected it, nor where there was no connection.
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        # An earlier attempt may have stored the object that is in the way.
        return status >= _SERVER_ERROR or error.response["Error"]["Code"] in PRECONDITION_FAILED
    return isinstance(error, (HTTPClientError, IncompleteReadError, SSLError))


def find_late(
    bucket: "UploadBucket", key: str, error: Exception, *, wait: Callable[[float], None]
) -> Stored:
    """What a call that ended with `error` stored, perhaps late. Raises StoredInDoubt.

    An absent object right after a time-out does not prove that none will appear.
    """
    pauses = list(PAUSES_SECONDS)
    while (found := find_in_doubt(bucket, key)) is None:
        if not pauses:
            raise _not_there_yet(key, str(error)) from error
        try:
            wait(pauses.pop(0))
        except KeyboardInterrupt:
            pauses.clear()
    return found


def _not_there_yet(key: str, why: str) -> StoredInDoubt:
    return StoredInDoubt(
        f"It is unknown whether the file will be stored as {key}: S3 gave no clear response "
        f"({why}), and it is not there so far, but may still appear.",
        hint="If it does, it will be read and sent: look for the key with `orders uploads` in a "
        "few minutes, before you upload the file again.",
    )


@contextmanager
def _only_once(client: "S3Client", result: _Result) -> Iterator[None]:
    """Let an upload create one version of its key, even if calls are repeated, and note which."""

    def only_if_new(params: dict[str, Any], **_: object) -> None:
        # boto3 repeats a call whose response was lost; a second version would be a second upload,
        # and every order would be sent twice.
        params["IfNoneMatch"] = "*"

    def note(http_response: Any, parsed: dict[str, Any], **_: object) -> None:  # noqa: ANN401
        if http_response.status_code < 300:  # noqa: PLR2004 - what HTTP calls a success
            result.version, result.etag = parsed.get("VersionId", ""), parsed.get("ETag", "")

    def note_doubt(caught_exception: Exception | None, response: Any, **_: object) -> None:  # noqa: ANN401
        # boto3 raises only the last error, and an earlier attempt may have stored it.
        is_broken = response is not None and response[0].status_code >= _SERVER_ERROR
        if is_broken or (caught_exception and may_be_stored(caught_exception)):
            result.is_in_doubt = True

    events: dict[str, Callable[..., None]] = {
        "before-parameter-build": only_if_new,
        "after-call": note,
        "needs-retry": note_doubt,
    }
    handlers = [(f"{event}.s3.{call}", events[event]) for event in events for call in _STORES]
    for name, handler in handlers:
        client.meta.events.register(name, handler)
    try:
        yield
    finally:
        for name, handler in handlers:
            client.meta.events.unregister(name, handler)
