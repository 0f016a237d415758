"""The reference pages say what the code says."""

import pytest

from consumer.settings import ConsumerSettings
from consumer.telemetry.catalogue import CATALOGUE
from tools.reference import DOCS, advice_text, configuration_text, metrics_text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("configuration.md", configuration_text()),
        ("metrics.md", metrics_text()),
        ("what-stops-sending.md", advice_text()),
    ],
)
def test_a_reference_page_is_current(name: str, text: str) -> None:
    committed = (DOCS / name).read_text(encoding="utf-8")

    assert committed == text, "run `python -m tools.reference` and commit what it wrote"


def test_every_setting_and_metric_is_described() -> None:
    configuration, metrics = configuration_text(), metrics_text()

    assert all(field.description for field in ConsumerSettings.model_fields.values())
    assert "| `ORDERS_STREAM` | *needed* |" in configuration
    assert "`AWS_REGION` or `AWS_DEFAULT_REGION`" in configuration
    assert "| `ORDERS_REFUSAL_BUDGET` | `20,5%` |" in configuration
    assert all(f"`{metric.name}`" in metrics for metric in CATALOGUE)
