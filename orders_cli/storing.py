"""How is a file stored once, and which version is it, whatever answers are lost on the way?"""

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
from orders_cli.failures import CommandFailed, ExitCode
from orders_cli.storage import PRECONDITION_FAILED, Stored

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from orders_cli.storage import Storage

_STORES = ("PutObject", "CompleteMultipartUpload")
"""The calls that make an object out of what was sent."""
PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""S3 may store a file some moments after we gave up waiting for its answer."""
_SERVER_ERROR = 500


class StoredInDoubt(CommandFailed):
    """The file is stored, or may be, and nobody can say as which upload."""

    exit_code = ExitCode.AWS_UNREACHABLE


@dataclass(slots=True)
class _Answer:
    """What is known of the storing.

    is_in_doubt: a try of it ended so that S3 may have it, or may still come to have it.
    """

    version: str = ""
    etag: str = ""
    is_in_doubt: bool = False


def store_file(
    client: "S3Client",
    storage: "Storage",
    file: BinaryIO,
    key: str,
    on_bytes: Callable[[int], None],
) -> Stored:
    """Store a file under a new key, in parts where it is large.

    Where no answer came, the bucket is asked, for some seconds. Errors of AWS mean that nothing is
    stored. Raises StoredInDoubt.

    on_bytes: told how many bytes more are on their way, from several threads.
    """
    size_bytes = fstat(file.fileno()).st_size
    answer = _Answer()
    try:
        with _only_once(client, answer):
            client.upload_fileobj(file, storage.bucket, key, Callback=on_bytes)
    except (BotoCoreError, ClientError) as error:
        if answer.is_in_doubt or may_be_stored(error):
            # Also what a call stored whose answer was lost: sent again it met its own object.
            return find_late(storage, key, error, wait=sleep)
        raise
    except KeyboardInterrupt as error:
        if answer.is_in_doubt and find_in_doubt(storage, key) is None:
            raise _not_there_yet(key, "it was stopped") from error
        raise
    if not answer.version or answer.version == "null":
        raise StoredInDoubt(
            f"The file IS stored as {key} and will be read and sent, but {storage.bucket} keeps no "
            "versions, so its upload id is not known here.",
            hint="Do not upload it again; `orders uploads` lists it by its key.",
        )
    return Stored(Source(storage.bucket, key, answer.version, answer.etag, size_bytes))


def find_in_doubt(storage: "Storage", key: str) -> Stored | None:
    """What a call without an answer stored, None for nothing. Raises StoredInDoubt."""
    try:
        return storage.find(key)
    except (BotoCoreError, ClientError, CommandFailed) as error:
        raise StoredInDoubt(
            f"Nobody can say whether the file was stored as {key}: {error}",
            hint="If it was, it will be read and sent: look for the key with `orders uploads` "
            "before you upload it again.",
        ) from error


def may_be_stored(error: Exception) -> bool:
    """May the object be stored, or be stored in a moment, though its call ended with this error?

    Not where S3 refused it, nor where no connection came about.
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        # Its own object may be in the way, from an earlier try.
        return status >= _SERVER_ERROR or error.response["Error"]["Code"] in PRECONDITION_FAILED
    return isinstance(error, (HTTPClientError, IncompleteReadError, SSLError))


def find_late(
    storage: "Storage", key: str, error: Exception, *, wait: Callable[[float], None]
) -> Stored:
    """What a call that ended with `error` stored, though it may do so late. Raises StoredInDoubt.

    That nothing is there right after a time-out is no proof that nothing will be.
    """
    for pause in PAUSES_SECONDS:
        found = find_in_doubt(storage, key)
        if found:
            return found
        try:
            wait(pause)
        except KeyboardInterrupt:
            break
    found = find_in_doubt(storage, key)
    if found:
        return found
    raise _not_there_yet(key, str(error)) from error


def _not_there_yet(key: str, why: str) -> StoredInDoubt:
    return StoredInDoubt(
        f"Nobody can say yet whether the file will be stored as {key}: S3 gave no clear answer "
        f"({why}), and it is not there so far, but may still appear.",
        hint="If it does, it will be read and sent: look for the key with `orders uploads` in a "
        "few minutes, before you upload the file again.",
    )


@contextmanager
def _only_once(client: "S3Client", answer: _Answer) -> Iterator[None]:
    """Let an upload make one version of its key, though its calls are repeated, and note which."""

    def only_if_new(params: dict[str, Any], **_: object) -> None:
        # The library repeats a call whose answer was lost; a second version would be a second
        # upload, and every order would be sent twice.
        params["IfNoneMatch"] = "*"

    def note(http_response: Any, parsed: dict[str, Any], **_: object) -> None:  # noqa: ANN401
        if http_response.status_code < 300:  # noqa: PLR2004 - what HTTP calls a success
            answer.version, answer.etag = parsed.get("VersionId", ""), parsed.get("ETag", "")

    def note_doubt(caught_exception: Exception | None, response: Any, **_: object) -> None:  # noqa: ANN401
        # Of several tries the library raises the last error only, and an earlier one may be stored.
        is_broken = response is not None and response[0].status_code >= _SERVER_ERROR
        if is_broken or (caught_exception and may_be_stored(caught_exception)):
            answer.is_in_doubt = True

    handlers: list[tuple[str, Callable[..., None]]]
    handlers = [(f"before-parameter-build.s3.{call}", only_if_new) for call in _STORES]
    handlers += [(f"after-call.s3.{call}", note) for call in _STORES]
    handlers += [(f"needs-retry.s3.{call}", note_doubt) for call in _STORES]
    for name, handler in handlers:
        client.meta.events.register(name, handler)
    try:
        yield
    finally:
        for name, handler in handlers:
            client.meta.events.unregister(name, handler)
