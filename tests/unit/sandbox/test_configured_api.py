from pathlib import Path

import pytest

from sandbox.configured_api import ConfiguredApi
from sandbox.sandbox_errors import WrongUse


def test_without_settings_it_takes_what_the_worker_sends_without_settings() -> None:
    assert ConfiguredApi.from_variables({}) == ConfiguredApi(
        "PUT", "/orders/{order_id}", "Idempotency-Key"
    )


def test_it_takes_what_the_worker_sends_by_these_settings() -> None:
    configured = ConfiguredApi.from_variables(
        {
            "ORDERS_API_METHOD": "POST",
            "ORDERS_API_URL": "https://api.shop.example/v1/orders",
            "ORDERS_API_IDEMPOTENCY_HEADER": "X-Key",
        }
    )

    assert configured.options == [
        "--method",
        "POST",
        "--path",
        "/v1/orders",
        "--key-header",
        "X-Key",
    ]


def test_it_holds_the_worker_to_its_quotas() -> None:
    around = {"ORDERS_QUOTA": "60/m", "ORDERS_TIME_ZONE": "Europe/Berlin"}

    options = ConfiguredApi.from_variables(around).options

    assert options[-4:] == ["--quota", "60/m", "--time-zone", "Europe/Berlin"]


def test_it_knows_where_orders_of_ones_own_have_their_id(tmp_path: Path) -> None:
    mapping = tmp_path / "shop.toml"
    mapping.write_text('id = "number"\n[fields]\nnumber = "integer"\n')

    by_mapping = ConfiguredApi.from_variables({"ORDERS_ORDER_MAPPING": str(mapping)})
    by_model = ConfiguredApi.from_variables({"ORDERS_ORDER_ID_FIELD": "nr"})

    assert by_mapping.options[-2:] == ["--id-field", "number"]
    assert by_model.options[-2:] == ["--id-field", "nr"]


def test_a_worker_that_sends_no_key_needs_no_header_of_it() -> None:
    configured = ConfiguredApi.from_variables({"ORDERS_API_IDEMPOTENCY_HEADER": "none"})

    assert configured.key_header == "Idempotency-Key"


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("ORDERS_QUOTA", "60", "is not a quota"),
        ("ORDERS_TIME_ZONE", "Berlin/Europe", "no time zone"),
        ("ORDERS_API_METHOD", "GET", "ORDERS_API_METHOD is 'GET'; it may be PUT, POST, PATCH."),
        ("ORDERS_API_URL", "nowhere", "ORDERS_API_URL is wrong: it must start with"),
    ],
)
def test_a_setting_that_the_worker_would_refuse_is_refused_at_once(
    variable: str, value: str, sentence: str
) -> None:
    with pytest.raises(WrongUse, match=sentence):
        ConfiguredApi.from_variables({variable: value})
