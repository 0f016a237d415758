import pytest

from orders.rate import Rate
from producer_lambda.handler import run_settings
from producer_lambda.settings import SettingsInvalid, load_settings

NEEDED = {
    "ORDERS_BUCKET": "bucket",
    "ORDERS_STREAM": "stream",
    "ORDERS_LEDGER_TABLE": "ledger",
    "ORDERS_INTAKE_QUEUE_URL": "http://127.0.0.1/queue",
}


@pytest.fixture(autouse=True)
def needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)


def test_what_is_needed_is_enough() -> None:
    plan = run_settings(load_settings())

    assert plan.lanes == 1
    assert plan.aggregate_bytes == 200_000
    assert plan.limits.longest_bytes == 262_144
    assert plan.shard_bytes_per_second == 1_000_000
    assert plan.rate is None


def test_pacing_is_switched_off_and_a_rate_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_SHARD_BYTES_PER_SECOND", "none")
    monkeypatch.setenv("ORDERS_RATE", "30/m")

    plan = run_settings(load_settings())

    assert plan.shard_bytes_per_second is None
    assert plan.rate == Rate(0.5)


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_a_missing_setting_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)

    with pytest.raises(SettingsInvalid, match=f"{name} is not set"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ORDERS_LANES", "0", "greater than or equal to 1"),
        ("ORDERS_LANES", "many", "valid integer"),
        ("ORDERS_RATE", "fast", "is not a rate"),
        ("ORDERS_SHARD_BYTES_PER_SECOND", "some", "none"),
        ("ORDERS_REPORT_PREFIX", "/reports", "pattern"),
        ("ORDERS_CSV_DELIMITER", "::", "at most 1 character"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_wrong(
    name: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsInvalid, match=f"{name} is '{value}': .*{problem}"):
        load_settings()
