"""How do several orders stand in one body?"""

import json

from consumer.adapters.batch_body import BatchFormat, batch_body

BODIES = (b'{"order_id":"a", "n":1.50}', b'{"order_id":"b"}')


def test_an_array_holds_the_bytes_of_each_order() -> None:
    assert batch_body(BODIES, BatchFormat.ARRAY) == (
        b'[{"order_id":"a", "n":1.50},{"order_id":"b"}]'
    )


def test_ndjson_holds_one_order_a_line() -> None:
    assert batch_body(BODIES, BatchFormat.NDJSON) == (
        b'{"order_id":"a", "n":1.50}\n{"order_id":"b"}\n'
    )


def test_an_order_that_was_wrapped_over_several_lines_stays_one_line() -> None:
    wrapped = b'{\r\n "order": {"order_id":"a"}\n}'

    lines = batch_body((wrapped, wrapped), BatchFormat.NDJSON).splitlines()

    assert [json.loads(line) for line in lines] == [json.loads(wrapped)] * 2
