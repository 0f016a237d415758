import json
from typing import Any

import pytest

from ledger.uploads.upload import Source
from orders.s3_event import EventUnknown
from orders.upload import UploadId, upload_id
from producer_lambda.upload_requests import (
    UploadRequest,
    continue_message,
    requests_of_event,
    requests_of_message,
)

SOURCE = Source("bucket", "uploads/a b+ü.jsonl", "v1", "etag", 12)
ARRIVED = UploadRequest(upload_id("bucket", "uploads/a b+ü.jsonl", "v1"), SOURCE)


def s3_event(**changes: object) -> dict[str, Any]:
    stored = {
        "key": "uploads/a+b%2B%C3%BC.jsonl",
        "size": 12,
        "eTag": "etag",
        "versionId": "v1",
        "sequencer": "0055",
    }
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:CompleteMultipartUpload",
        "s3": {"bucket": {"name": "bucket"}, "object": stored | changes},
    }
    return {"Records": [record]}


def event_bridge_event(**changes: object) -> dict[str, Any]:
    stored = {
        "key": "uploads/a b+ü.jsonl",
        "size": 12,
        "etag": "etag",
        "version-id": "v1",
        "sequencer": "0055",
    }
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "bucket"}, "object": stored | changes},
    }


@pytest.mark.parametrize("event", [s3_event(), event_bridge_event()])
def test_every_shape_of_event_is_the_same_upload(event: dict[str, Any]) -> None:
    assert requests_of_event(event) == [ARRIVED]
    assert requests_of_message(json.dumps(event)) == [ARRIVED]


def test_only_events_of_s3_itself_have_encoded_keys() -> None:
    (of_s3,) = requests_of_event(s3_event(key="100%25+sure.csv"))
    (of_bridge,) = requests_of_event(event_bridge_event(key="100%25+sure.csv"))

    assert of_s3.source is not None
    assert of_s3.source.key == "100% sure.csv"
    assert of_bridge.source is not None
    assert of_bridge.source.key == "100%25+sure.csv"


@pytest.mark.parametrize("version", [{"versionId": None}, {"versionId": "null"}])
def test_without_versions_a_stored_object_is_known_by_etag_and_sequencer(
    version: dict[str, object],
) -> None:
    (first,) = requests_of_event(s3_event(**version))
    (again,) = requests_of_event(s3_event(**version))
    (later,) = requests_of_event(s3_event(**version, sequencer="0056"))

    assert first == again
    assert first.upload != later.upload
    assert first.source is not None
    assert first.source.version_id == ""


def test_one_event_may_name_many_objects() -> None:
    records = s3_event()["Records"] + s3_event(key="uploads/b.csv")["Records"]

    assert len(requests_of_event({"Records": records})) == 2


def test_the_test_event_of_s3_asks_for_nothing() -> None:
    assert requests_of_event({"Service": "Amazon S3", "Event": "s3:TestEvent"}) == []


def test_what_is_not_about_a_new_object_asks_for_nothing() -> None:
    removed = s3_event()
    removed["Records"][0]["eventName"] = "ObjectRemoved:Delete"

    assert requests_of_event(removed) == []
    assert requests_of_event(event_bridge_event() | {"detail-type": "Object Deleted"}) == []


def test_the_producers_own_message_continues_an_upload() -> None:
    upload = UploadId("0123456789abcdef0123")

    assert requests_of_message(continue_message(upload)) == [UploadRequest(upload)]


STRANGE_EVENTS = ("{}", '{"Records":[{}]}', '{"Records":[{"s3":1}]}', "[]", "1")
BRIDGE_WITHOUT_OBJECT = '{"source":"aws.s3","detail-type":"Object Created","detail":{}}'


@pytest.mark.parametrize("body", ["", "no json", *STRANGE_EVENTS, BRIDGE_WITHOUT_OBJECT])
def test_any_other_message_is_unknown(body: str) -> None:
    with pytest.raises(EventUnknown):
        requests_of_message(body)
