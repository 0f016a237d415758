"""How is a file stored once, and which version is it, whatever answers are lost on the way?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import fstat
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from ledger.ports.uploads import Source
from orders_cli.failures import CommandFailed, ExitCode
from orders_cli.storage import Stored

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from orders_cli.storage import Storage

_STORES = ("PutObject", "CompleteMultipartUpload")
"""The calls that make an object out of what was sent."""


class StoredInDoubt(CommandFailed):
    """The file is stored, or may be, and nobody can say as which upload."""

    exit_code = ExitCode.AWS_UNREACHABLE


@dataclass(slots=True)
class _Answer:
    version: str = ""
    etag: str = ""


def store_file(
    client: "S3Client",
    storage: "Storage",
    file: BinaryIO,
    key: str,
    on_bytes: Callable[[int], None],
) -> Stored:
    """Store a file under a new key, in parts where it is large.

    Where no answer came, the bucket is asked. Errors of AWS mean that nothing is stored.

    on_bytes: told how many bytes more are on their way, from several threads.
    """
    size_bytes = fstat(file.fileno()).st_size
    try:
        with _only_once(client) as answer:
            client.upload_fileobj(file, storage.bucket, key, Callback=on_bytes)
    except (BotoCoreError, ClientError):
        # Also what was stored by a call whose answer was lost: sent again it met its own object.
        found = find_in_doubt(storage, key)
        if found is None:
            raise
        return found
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


@contextmanager
def _only_once(client: "S3Client") -> Iterator[_Answer]:
    """Let an upload make one version of its key, though its calls are repeated, and note which."""
    answer = _Answer()

    def only_if_new(params: dict[str, Any], **_: object) -> None:
        # The library repeats a call whose answer was lost; a second version would be a second
        # upload, and every order would be sent twice.
        params["IfNoneMatch"] = "*"

    def note(http_response: Any, parsed: dict[str, Any], **_: object) -> None:  # noqa: ANN401
        if http_response.status_code < 300:  # noqa: PLR2004 - what HTTP calls a success
            answer.version, answer.etag = parsed.get("VersionId", ""), parsed.get("ETag", "")

    handlers: list[tuple[str, Callable[..., None]]]
    handlers = [(f"before-parameter-build.s3.{call}", only_if_new) for call in _STORES]
    handlers += [(f"after-call.s3.{call}", note) for call in _STORES]
    for name, handler in handlers:
        client.meta.events.register(name, handler)
    try:
        yield answer
    finally:
        for name, handler in handlers:
            client.meta.events.unregister(name, handler)
