import io
import json

from sandbox.api.request_log import LogEntry, RequestLog


def entry(order_id: str) -> LogEntry:
    return LogEntry(
        t=1.5,
        method="PUT",
        path=f"/orders/{order_id}",
        order_id=order_id,
        status=200,
        idempotency_key=None,
        body_sha256="00",
    )


def listed(log: RequestLog) -> list[str]:
    return [json.loads(line)["order_id"] for line in b"".join(log.chunks()).splitlines()]


def test_entries_are_listed_in_order_of_arrival_whenever_they_end() -> None:
    log = RequestLog()
    places = [log.open(float(number)) for number in range(3)]

    for number in (2, 0, 1):
        log.close(places[number], entry(str(number)))

    assert listed(log) == ["0", "1", "2"]


def test_requests_that_were_read_together_are_listed_as_they_arrived() -> None:
    log = RequestLog()
    arrivals = [float(number) for number in range(3_000)]
    for start in range(0, 3_000, 1_000):
        for arrival in reversed(arrivals[start : start + 1_000]):
            log.close(log.open(arrival), entry(str(int(arrival))))

    assert listed(log) == [str(number) for number in range(3_000)]


def test_a_request_is_visible_once_it_has_ended() -> None:
    log = RequestLog()
    first, second = log.open(1.0), log.open(2.0)
    log.close(second, entry("second"))

    before = listed(log)
    log.close(first, entry("first"))

    assert before == ["second"]
    assert listed(log) == ["first", "second"]


def test_an_entry_is_one_json_line_with_every_field() -> None:
    line = entry('a"b').json_line()

    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "t": 1.5,
        "method": "PUT",
        "path": '/orders/a"b',
        "order_id": 'a"b',
        "status": 200,
        "idempotency_key": None,
        "body_sha256": "00",
    }


def test_a_full_log_drops_its_oldest_entries_and_counts_them() -> None:
    log = RequestLog(capacity=40)

    for number in range(41):
        log.close(log.open(float(number)), entry(str(number)))

    assert log.dropped == 2
    assert listed(log) == [str(number) for number in range(2, 41)]


def test_a_request_that_outlives_its_place_leaves_no_line() -> None:
    log = RequestLog(capacity=2)
    place = log.open(0.0)
    for number in range(5):
        log.close(log.open(float(number)), entry(str(number)))

    log.close(place, entry("late"))

    assert listed(log) == ["3", "4"]


def test_a_long_log_comes_in_pieces_and_nothing_twice_while_it_is_trimmed() -> None:
    log = RequestLog(capacity=2_000)
    for number in range(2_000):
        log.close(log.open(float(number)), entry(str(number)))

    chunks = log.chunks()
    first = next(chunks)
    log.close(log.open(2000.0), entry("2000"))
    rest = b"".join(chunks)

    numbers = [int(json.loads(line)["order_id"]) for line in (first + rest).splitlines()]
    assert numbers == list(range(2_000))


def test_lines_go_to_a_file_as_requests_end() -> None:
    file = io.BytesIO()
    log = RequestLog(file=file)
    first, second = log.open(1.0), log.open(2.0)

    log.close(second, entry("second"))
    log.close(first, entry("first"))

    assert [json.loads(line)["order_id"] for line in file.getvalue().splitlines()] == [
        "second",
        "first",
    ]
