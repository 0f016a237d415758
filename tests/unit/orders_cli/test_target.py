import io

import pytest

from orders_cli.failures import UsageWrong
from orders_cli.target import Target, confirm

HERE = Target(("http://127.0.0.1:4566",), "eu-central-1", None, "table orders-ledger")
REAL = Target(
    ("https://dynamodb.eu-central-1.amazonaws.com",), "eu-central-1", "123456789012", "table t"
)
ELSEWHERE = Target(("http://10.0.0.7:4566",), "eu-central-1", None, "table t")
MIXED = Target((HERE.endpoints[0], REAL.endpoints[0]), "eu-central-1", "123456789012", "table t")


def test_the_target_is_named_by_account_or_by_address() -> None:
    assert REAL.sentence == "AWS account 123456789012 in eu-central-1, table t"
    assert HERE.sentence == "this machine (http://127.0.0.1:4566), table orders-ledger"
    assert ELSEWHERE.sentence == "a stand-in for AWS (http://10.0.0.7:4566), table t"


@pytest.mark.parametrize(
    ("endpoint", "here"),
    [
        ("http://localhost:4566", True),
        ("http://[::1]:4566", True),
        ("http://127.9.9.9", True),
        ("http://127.0.0.1.example.com", False),
        ("https://s3.amazonaws.com", False),
    ],
)
def test_only_a_loopback_address_is_this_machine(endpoint: str, here: bool) -> None:
    assert Target((endpoint,), "r", None, "t").is_here is here


def test_a_change_on_this_machine_needs_no_consent() -> None:
    confirm(HERE, "pause sending", yes=False)


@pytest.mark.parametrize("target", [REAL, ELSEWHERE, MIXED])
def test_a_change_elsewhere_needs_yes_without_a_terminal(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y"))

    confirm(target, "pause sending", yes=True)
    with pytest.raises(UsageWrong, match=r"To pause sending on .* Add --yes"):
        confirm(target, "pause sending", yes=False)
