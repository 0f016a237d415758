"""orders check, on files of this machine."""

import gzip
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from orders.rule_errors import RulesWrong
from orders_cli.commands import check
from orders_cli.commands.check import app
from orders_cli.failures import SettingWrong, UsageWrong, failure_of
from tests.support.producer_world import order_line

SCHEMA = json.loads(
    (Path(check.__file__).parents[1] / "schemas" / "check.json").read_text(encoding="utf-8")
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = [order_line(1), b"", b'{"order_id":"\x1b[31m"}', order_line(4), b"{"]
    path = tmp_path / "orders.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_a_file_of_orders_is_good(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_bytes(b"\n".join(map(order_line, range(3))))

    ended = CliRunner().invoke(app, [str(path)])

    assert (ended.exit_code, ended.stdout) == (0, "3 orders, 0 invalid lines, 0 blank lines\n")


def test_every_invalid_line_is_shown_with_its_reason(file: Path) -> None:
    ended = CliRunner().invoke(app, [str(file)])

    assert ended.exit_code == 3
    escape, cut_off, sums = ended.stdout.splitlines()
    assert escape.startswith("line 3: Invalid JSON: control character")
    assert escape.endswith(' at column 14: {"order_id":"\\x1b[31m"}')
    assert cut_off == "line 5: Invalid JSON: EOF while parsing an object at column 1: {"
    assert sums == "2 orders, 2 invalid lines, 1 blank line"


def test_no_more_lines_are_shown_than_asked_for(file: Path) -> None:
    ended = CliRunner().invoke(app, [str(file), "--limit", "1"])

    assert "line 3: " in ended.stdout
    assert "line 5: " not in ended.stdout
    assert "1 more invalid line; --limit shows more" in ended.stderr


def test_the_answer_as_json_follows_its_schema(file: Path) -> None:
    ended = CliRunner().invoke(app, [str(file), "--limit", "1", "--json"])

    answer = json.loads(ended.stdout)
    Draft202012Validator(SCHEMA).validate(answer)
    assert (answer["orders"], answer["invalid"], answer["blank"]) == (2, 2, 1)
    assert [one["line"] for one in answer["lines"]] == [3]
    assert answer["unreadable"] is None


def test_a_file_that_is_cut_off_is_checked_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl.gz"
    path.write_bytes(gzip.compress(order_line(1) + b"\n{\n")[:-4])

    ended = CliRunner().invoke(app, [str(path)])
    as_json = json.loads(CliRunner().invoke(app, [str(path), "--json"]).stdout)

    assert ended.exit_code == 3
    assert "the gzip is cut off; nothing after that would be read\n" in ended.stdout
    Draft202012Validator(SCHEMA).validate(as_json)
    assert as_json["unreadable"]["reason"] == "the gzip is cut off"


def test_a_json_array_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    path.write_bytes(b"\xef\xbb\xbf\n[\n" + order_line(1) + b"\n]\n")

    ended = CliRunner().invoke(app, [str(path)])

    assert ended.exit_code == 3
    assert "line 1: it is a JSON array: write one order per line, as jq -c '.[]' does" in (
        ended.stdout
    )


def test_orders_that_repeat_an_id_are_named_and_are_no_invalid_lines(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_bytes(b"\n".join(order_line(number) for number in (1, 2, 1, 2)))

    ended = CliRunner().invoke(app, [str(path), "--limit", "1"])
    answer = json.loads(CliRunner().invoke(app, [str(path), "--limit", "1", "--json"]).stdout)
    allowed = CliRunner().invoke(app, [str(path)], env={"ORDERS_DUPLICATES": "allow"})

    assert ended.exit_code == 0
    assert "Line 3 repeats the order id 'order-1' of line 1." in ended.stderr
    assert "1 more order repeat an order id of this file." in ended.stderr
    Draft202012Validator(SCHEMA).validate(answer)
    assert answer["repeated_ids"] == 2
    assert answer["repeats"] == [{"line": 3, "order_id": "order-1", "first_line": 1}]
    assert "repeat" not in allowed.stderr


def test_what_cannot_be_uploaded_is_a_sentence(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, [str(tmp_path / "none.jsonl")])

    assert isinstance(ended.exception, UsageWrong)


def test_orders_of_ones_own_are_checked_by_their_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop.toml").write_text('id = "no"\nfields = {no = {column = "Order No"}}\n')
    path = tmp_path / "orders.csv"
    path.write_text("Order No,more\nA-1,x\n..,y\n")
    monkeypatch.setenv("ORDERS_ORDER_MAPPING", str(tmp_path / "shop.toml"))

    ended = CliRunner().invoke(app, [str(path)])

    assert ended.stdout.splitlines()[0] == (
        "line 3: no: must be 1 to 128 printable characters, without a space at either end, and "
        "not . or ..: ..,y"
    )
    assert ended.stdout.splitlines()[1] == "1 order, 1 invalid line, 0 blank lines"


def test_rules_that_cannot_be_used_are_a_sentence(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_ORDER_MODEL", "json:JSONDecoder")

    ended = CliRunner().invoke(app, [str(file)])

    assert isinstance(ended.exception, RulesWrong)
    failure = failure_of(ended.exception)
    assert isinstance(failure, SettingWrong)
    assert str(failure).startswith("ORDERS_ORDER_MODEL json:JSONDecoder is no pydantic model;")
