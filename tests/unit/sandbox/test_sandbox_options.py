from pathlib import Path

import pytest

from orders.rate import Rate
from sandbox.sandbox_errors import WrongUse
from sandbox.sandbox_options import SandboxOptions

RATE = Rate(1.0)


def test_the_api_allows_the_pace_unless_told_otherwise() -> None:
    assert SandboxOptions(Path("x"), RATE).limit == RATE
    assert SandboxOptions(Path("x"), RATE, api_rate=Rate(None)).limit == Rate(None)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"shards": 0}, "--shards"),
        ({"shards": 17}, "--shards"),
        ({"aws_port": -1}, "--aws-port"),
        ({"metrics_port": 65_536}, "--metrics-port"),
        ({"aws_port": 8_000, "api_port": 8_000}, "--api-port and --aws-port"),
    ],
)
def test_what_is_not_possible_is_refused_by_name(options: dict[str, int], word: str) -> None:
    with pytest.raises(WrongUse, match=word) as refused:
        SandboxOptions(Path("x"), RATE, **options)  # type: ignore[arg-type]

    assert refused.value.exit_code == 2
