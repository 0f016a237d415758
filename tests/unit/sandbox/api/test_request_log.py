import io
import json

from sandbox.api.request_log import LogEntry, RequestLog


def entry(t: float, order_id: str | None = None) -> LogEntry:
    return LogEntry(
        t=t,
        method="PUT",
        path=f"/orders/{order_id or t}",
        order_id=order_id or f"{t:g}",
        status=200,
        idempotency_key=None,
        body_sha256="00",
    )


def listed(log: RequestLog) -> list[str]:
    return [json.loads(line)["order_id"] for line in log.lines().splitlines()]


def test_entries_are_listed_in_order_of_arrival_whenever_they_end() -> None:
    log = RequestLog()

    for arrival in (2.0, 0.0, 1.0):
        log.add(entry(arrival))

    assert listed(log) == ["0", "1", "2"]


def test_an_entry_is_one_json_line_with_every_field() -> None:
    line = entry(1.5, 'a"b').json_line()

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
        log.add(entry(float(number)))

    assert log.dropped == 2
    assert listed(log) == [str(number) for number in range(2, 41)]


def test_lines_go_to_a_file_as_requests_end() -> None:
    file = io.BytesIO()
    log = RequestLog(file=file)

    log.add(entry(2.0, "second"))
    log.add(entry(1.0, "first"))

    assert [json.loads(line)["order_id"] for line in file.getvalue().splitlines()] == [
        "second",
        "first",
    ]
