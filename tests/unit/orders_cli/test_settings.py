import pytest

from orders_cli.failures import SettingWrong
from orders_cli.settings import load_settings


def test_what_is_not_set_is_missed_only_by_who_needs_it() -> None:
    settings = load_settings()

    assert settings.ledger_table is None
    with pytest.raises(SettingWrong, match=r"^ORDERS_LEDGER_TABLE is not set; set it to the"):
        settings.require("ledger_table")


def test_a_wrong_setting_is_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_RETENTION_HOURS", "two")

    with pytest.raises(SettingWrong, match="ORDERS_RETENTION_HOURS is wrong"):
        load_settings()


def test_settings_of_the_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_API_TOKEN", "secret")
    monkeypatch.setenv("ORDERS_LEDGER_TABLE", "orders-ledger")

    assert load_settings().require("ledger_table") == "orders-ledger"
