"""Settings: read from the environment, checked together, refused in one sentence."""

import re
import shlex
from pathlib import Path

import pytest

from consumer.adapters.answer_table import Meaning
from consumer.adapters.batch_answer import parse_result_names
from consumer.adapters.batch_body import BatchFormat
from consumer.adapters.batch_shape import BatchShape
from consumer.adapters.body_template import WHOLE
from consumer.refusal_budget import RefusalBudget
from consumer.settings import ConsumerSettings, SettingsError, load_settings
from orders.rate import NO_LIMIT, Rate
from tests.support.outgoing import outgoing

SHAPES_PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "api-shape.md"
NEEDED = {
    "ORDERS_STREAM": "orders-stream",
    "ORDERS_LEDGER_TABLE": "orders-ledger",
    "ORDERS_API_URL": "https://api.example.com/orders/{order_id}",
    "AWS_REGION": "eu-central-1",
}


def load(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> ConsumerSettings:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**NEEDED, **changes}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    return load_settings()


def test_the_needed_settings_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)

    assert settings.stream == "orders-stream"
    assert settings.rate is None
    assert settings.window == 64
    assert settings.refusal_budget == RefusalBudget(orders=20, percent=5.0)
    assert settings.conflict == "retried"
    assert settings.endpoint_url is None


def test_the_worker_id_is_the_application_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, ORDERS_APPLICATION="shop").worker_id == "shop"
    assert load(monkeypatch, ORDERS_APPLICATION="shop", ORDERS_WORKER_ID="w").worker_id == "w"


def test_the_lease_table_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).lease_table == "orders-leases"
    assert load(monkeypatch, ORDERS_APPLICATION="shop").lease_table == "shop-leases"
    assert load(monkeypatch, ORDERS_LEASE_TABLE="orders").lease_table == "orders"


def test_the_region_may_come_by_either_name(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, AWS_REGION=None, AWS_DEFAULT_REGION="us-east-1")

    assert settings.region == "us-east-1"


@pytest.mark.parametrize(("text", "rate"), [("5/s", Rate(5.0)), ("none", NO_LIMIT), ("", None)])
def test_a_rate_is_read_by_its_grammar(
    monkeypatch: pytest.MonkeyPatch, text: str, rate: Rate | None
) -> None:
    assert load(monkeypatch, ORDERS_RATE=text).rate == rate


def test_a_refusal_budget_is_read_by_its_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, ORDERS_REFUSAL_BUDGET="3, 12.5%").refusal_budget == (3, 12.5)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "[::1]:8080", "localhost"])
def test_an_api_on_this_machine_needs_no_tls(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    settings = load(monkeypatch, ORDERS_API_URL=f"http://{host}/orders/{{order_id}}")

    assert settings.api_url == f"http://{host}/orders/{{order_id}}"


def test_without_settings_of_its_shape_an_order_is_put_as_it_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shape = load(monkeypatch).api_shape

    assert (shape.method, shape.headers, shape.idempotency_header) == ("PUT", {}, "Idempotency-Key")
    assert (shape.content_type, shape.body) == ("application/json", WHOLE)
    assert shape.answers.meaning(404) is Meaning.REFUSED


def test_the_shape_of_requests_and_answers_is_what_the_settings_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shape = load(
        monkeypatch,
        ORDERS_API_METHOD="POST",
        ORDERS_API_URL="https://api.example.com/orders",
        ORDERS_API_HEADERS='{"X-Shop": "12"}',
        ORDERS_API_IDEMPOTENCY_HEADER="none",
        ORDERS_API_CONTENT_TYPE="text/plain",
        ORDERS_API_BODY="{line} {body}",
        ORDERS_API_STATUSES="404=accepted",
    ).api_shape

    assert (shape.method, shape.headers, shape.idempotency_header) == (
        "POST",
        {"X-Shop": "12"},
        None,
    )
    assert shape.content_type == "text/plain"
    assert shape.body.of(outgoing("A", b"{}")) == b"1 {}"
    assert shape.answers.meaning(404) is Meaning.ACCEPTED


EXAMPLES = re.findall(r"(?:^    ORDERS_.*\n)+", SHAPES_PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_shape_that_the_docs_show_is_one_that_the_consumer_takes(
    monkeypatch: pytest.MonkeyPatch, example: str
) -> None:
    variables = dict(word.split("=", 1) for word in shlex.split(example))

    shape = load(monkeypatch, **variables).api_shape

    assert len(EXAMPLES) == 3
    assert shape.method == variables["ORDERS_API_METHOD"]


def test_static_headers_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, ORDERS_API_HEADERS='{"X-Shop": "not-for-the-log"}')

    assert "not-for-the-log" not in f"{settings} {settings!r}"


def test_an_api_elsewhere_may_do_without_tls_where_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "http://api.internal/{order_id}"

    assert load(monkeypatch, ORDERS_API_URL=url, ORDERS_API_INSECURE="true").api_url == url


@pytest.mark.parametrize(
    ("changes", "named", "advice"),
    [
        ({"ORDERS_STREAM": None}, "ORDERS_STREAM", "set it to the Kinesis stream"),
        ({"ORDERS_STREAM": "a b"}, "ORDERS_STREAM", "match pattern"),
        ({"ORDERS_LEDGER_TABLE": None}, "ORDERS_LEDGER_TABLE", "set it to"),
        ({"AWS_REGION": None}, "AWS_REGION", "set it to the AWS region"),
        ({"ORDERS_RATE": "5 per second"}, "ORDERS_RATE", "for example 1/s"),
        ({"ORDERS_RATE": "9999/s"}, "ORDERS_RATE", "out of bounds"),
        ({"ORDERS_WINDOW": "0"}, "ORDERS_WINDOW", "greater than or equal to 1"),
        ({"ORDERS_ATTEMPT_SECONDS": "soon"}, "ORDERS_ATTEMPT_SECONDS", "valid number"),
        ({"ORDERS_REFUSAL_BUDGET": "20"}, "ORDERS_REFUSAL_BUDGET", "for example 20,5%"),
        ({"ORDERS_REFUSAL_BUDGET": "20,101%"}, "ORDERS_REFUSAL_BUDGET", "for example 20,5%"),
        ({"ORDERS_CONFLICT": "maybe"}, "ORDERS_CONFLICT", "'retried', 'accepted' or 'refused'"),
        ({"ORDERS_METRICS_PORT": "70000"}, "ORDERS_METRICS_PORT", "65535"),
        ({"ORDERS_API_URL": "https://api.example.com/"}, "ORDERS_API_URL", "{order_id}"),
        ({"ORDERS_API_URL": "https://a.b/{id}"}, "ORDERS_API_URL", "{id} is no placeholder"),
        (
            {"ORDERS_API_URL": "https://a.b/", "ORDERS_API_METHOD": "PATCH"},
            "ORDERS_API_URL",
            "PATCH needs {order_id} in its path; add it, or set ORDERS_API_METHOD=POST",
        ),
        ({"ORDERS_API_METHOD": "put"}, "ORDERS_API_METHOD", "'PUT', 'POST' or 'PATCH'"),
        ({"ORDERS_API_HEADERS": "X-Shop: 12"}, "ORDERS_API_HEADERS", 'for example {"X-Shop": '),
        ({"ORDERS_API_HEADERS": '{"Host": "a"}'}, "ORDERS_API_HEADERS", "leave it out"),
        (
            {"ORDERS_API_HEADERS": '{"X-Key": "a"}', "ORDERS_API_IDEMPOTENCY_HEADER": "x-key"},
            "ORDERS_API_HEADERS",
            "carries the idempotency key",
        ),
        ({"ORDERS_API_IDEMPOTENCY_HEADER": "a b"}, "ORDERS_API_IDEMPOTENCY_HEADER", "no name"),
        ({"ORDERS_API_CONTENT_TYPE": "json"}, "ORDERS_API_CONTENT_TYPE", "no media type"),
        ({"ORDERS_API_BODY": '{"order": {body}'}, "ORDERS_API_BODY", "does not make JSON"),
        ({"ORDERS_API_BODY": "order"}, "ORDERS_API_BODY", "exactly once"),
        ({"ORDERS_API_STATUSES": "404"}, "ORDERS_API_STATUSES", "for example 404=accepted"),
        ({"ORDERS_API_STATUSES": "429=accepted"}, "ORDERS_API_STATUSES", "429 is fixed"),
        ({"ORDERS_API_STATUSES": "503=accepted"}, "ORDERS_API_STATUSES", "retry, throttled"),
        ({"ORDERS_BATCH": "2"}, "ORDERS_BATCH", "{order_id} in its path; take it out"),
        ({"ORDERS_BATCH": "0"}, "ORDERS_BATCH", "greater than or equal to 1"),
        (
            {"ORDERS_BATCH": "2", "ORDERS_API_URL": "https://a.b/{customer_id}/orders"},
            "ORDERS_BATCH",
            "{customer_id} in its path",
        ),
        (
            {
                "ORDERS_BATCH": "2",
                "ORDERS_API_URL": "https://a.b/orders",
                "ORDERS_API_CONTENT_TYPE": "text/plain",
            },
            "ORDERS_BATCH",
            "ORDERS_API_CONTENT_TYPE is no JSON",
        ),
        ({"ORDERS_BATCH_FORMAT": "xml"}, "ORDERS_BATCH_FORMAT", "'array' or 'ndjson'"),
        ({"ORDERS_BATCH_RESULTS": "results"}, "ORDERS_BATCH_RESULTS", "LIST:ID,STATUS"),
        ({"ORDERS_API_URL": "https://a.b/?id={order_id}"}, "ORDERS_API_URL", "path"),
        ({"ORDERS_API_URL": "https://u:p@a.b/{order_id}"}, "ORDERS_API_URL", "ORDERS_API_TOKEN"),
        ({"ORDERS_API_URL": "http://a.b/{order_id}"}, "ORDERS_API_URL", "use https"),
        (
            {"ORDERS_API_TOKEN": "t", "ORDERS_API_TOKEN_FILE": "/run/token"},
            "ORDERS_API_TOKEN and ORDERS_API_TOKEN_FILE",
            "keep one",
        ),
        ({"ORDERS_API_TOKEN": "two words"}, "ORDERS_API_TOKEN", "cannot be a token"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], named: str, advice: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **changes)

    sentence = str(caught.value)
    assert sentence.startswith(named)
    assert advice in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_wrong_credential_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, ORDERS_API_TOKEN="not for the log")

    assert "not for the log" not in str(caught.value)


def test_a_credential_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, ORDERS_API_TOKEN="not-for-the-log")

    assert "not-for-the-log" not in repr(settings)
    assert settings.api_token is not None
    assert settings.api_token.get_secret_value() == "not-for-the-log"


def test_a_batch_goes_to_one_address_by_put_and_lines_are_called_what_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load(
        monkeypatch,
        ORDERS_API_URL="https://api.example.com/orders/batch",
        ORDERS_BATCH="100",
        ORDERS_BATCH_FORMAT="ndjson",
        ORDERS_BATCH_RESULTS="results:id,status",
    )

    shape = settings.api_shape
    assert (settings.batch, settings.batch_linger_seconds) == (100, 2.0)
    assert shape.content_type == "application/x-ndjson"
    assert shape.batch == BatchShape(BatchFormat.NDJSON, parse_result_names("results:id,status"))
