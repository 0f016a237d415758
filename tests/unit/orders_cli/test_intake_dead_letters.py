import json

import pytest

from orders.upload import upload_id
from orders_cli.intake_dead_letters import letters_of


def s3_event(**stored: object) -> str:
    s3 = {"bucket": {"name": "b"}, "object": {"size": 1, **stored}}
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]})


def test_an_event_of_s3_names_its_upload_by_the_decoded_key() -> None:
    [letter] = letters_of(s3_event(key="uploads/a+b%2B.jsonl", versionId="v1"))

    assert letter.key == "uploads/a b+.jsonl"
    assert letter.upload == upload_id("b", "uploads/a b+.jsonl", "v1")
    assert "dead-letter queue" in letter.reason


def test_an_event_of_event_bridge_has_its_key_as_it_is() -> None:
    detail = {
        "bucket": {"name": "b"},
        "object": {"key": "a+b.jsonl", "version-id": "v1", "size": 1},
    }

    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}

    [letter] = letters_of(json.dumps(event))

    assert letter.upload == upload_id("b", "a+b.jsonl", "v1")


def test_the_message_to_go_on_names_its_upload() -> None:
    [letter] = letters_of(json.dumps({"continue_upload": "0123456789abcdef0123"}))

    assert letter.upload == "0123456789abcdef0123"


def test_without_versions_etag_and_sequencer_distinguish_objects() -> None:
    [letter] = letters_of(s3_event(key="a.jsonl", eTag="e", sequencer="7"))

    assert letter.upload == upload_id("b", "a.jsonl", "e:7")


@pytest.mark.parametrize("body", ["", "no json", "[]", "{}", '{"Records": [{}]}', "7", "null"])
def test_any_other_message_is_shown_without_an_upload(body: str) -> None:
    [letter] = letters_of(body)

    assert letter.upload is None
    assert letter.reason
