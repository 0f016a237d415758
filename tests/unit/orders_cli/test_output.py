import io

import pytest

from orders_cli.output import aligned, answer_table, is_lively


def test_columns_are_straight_and_numbers_stand_to_the_right() -> None:
    rows = [("NAME", "COUNT"), ("a", "1"), ("long name", "1,200")]

    assert aligned(rows) == ["NAME       COUNT", "a              1", "long name  1,200"]


def test_no_rows_are_no_lines() -> None:
    assert aligned([]) == []


def test_without_a_terminal_a_table_is_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    answer_table(["KEY"], [["x" * 200]])

    assert capsys.readouterr().out == f"KEY\n{'x' * 200}\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_need_a_terminal_and_no_wish_against_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    assert is_lively(Terminal())
    assert not is_lively(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not is_lively(Terminal())


def test_on_a_terminal_a_table_is_drawn_by_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", terminal)

    answer_table(["STATE", "LINES"], [["done", "40"]])

    assert "done" in terminal.getvalue()
