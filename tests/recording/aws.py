"""The embedded AWS, with a note of each call: who, service:Action, which resource.

It notes in the server itself: the KCL daemon speaks HTTP/2, which a small proxy would not pass on.
"""

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import ministack.app as embedded

_WHO = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/")
_PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
_S3 = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_inner = embedded.app
_seen: set[tuple[str, ...]] = set()


async def noted(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
    """Answer as ministack does, and note what was asked."""
    if scope["type"] != "http":
        await _inner(scope, receive, send)
        return
    body = bytearray()

    async def read() -> Any:  # noqa: ANN401 - ASGI
        message = await receive()
        body.extend(message.get("body", b""))
        return message

    try:
        await _inner(scope, read, send)
    finally:
        _note(scope, bytes(body))


def _note(scope: dict[str, Any], body: bytes) -> None:
    headers = {k.decode().lower(): v.decode() for k, v in scope["headers"]}
    signed = _WHO.search(headers.get("authorization", ""))
    if signed is None:
        return
    who, service = signed[1], signed[2]
    if "aws-sdk-java" in headers.get("user-agent", ""):
        who += "/kcl"
    target = headers.get("x-amz-target", "")
    if target:
        action, asked = target.rpartition(".")[2], json.loads(body or b"{}")
        names = [asked.get(n) for n in ("TableName", "StreamName", "StreamARN", "QueueUrl")]
        names += list(asked.get("RequestItems", {}))
        name = next((str(n) for n in names if n), "")
        if asked.get("IndexName"):
            name += f"/index/{asked['IndexName']}"
        resource = re.split(r"[/:]", name)[-1] if "://" in name else name
    elif service == "s3":
        path = scope["path"].strip("/").split("/")
        action = _S3.get(scope["method"], scope["method"])
        if len(path) < 2:
            action = "ListBucket"
        resource = path[1] + "/*" if len(path) > 1 else "bucket"
    else:
        asked_form = parse_qs(body.decode(errors="replace"))
        action, resource = asked_form.get("Action", [scope["path"]])[0], ""
    if action == "TransactWriteItems":  # IAM asks for what it is made of
        for item in json.loads(body)["TransactItems"]:
            for kind, part in item.items():
                _write(who, f"{service}:{_PARTS.get(kind, kind)}", part["TableName"])
    else:
        _write(who, f"{service}:{action}", resource)


def _write(*entry: str) -> None:
    if entry not in _seen:
        _seen.add(entry)
        with Path(os.environ["STATE_DIR"], "..", "..", "calls.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    embedded.app = noted
    embedded.main()
