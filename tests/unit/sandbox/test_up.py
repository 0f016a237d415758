from pathlib import Path

import pytest

from orders.rate import Rate
from sandbox.sandbox_errors import WrongUse
from sandbox.sandbox_options import SandboxOptions
from sandbox.up import run_sandbox


def test_without_java_nothing_is_started_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_JAVA", str(tmp_path / "no-java"))

    with pytest.raises(WrongUse, match="ORDERS_JAVA"):
        run_sandbox(SandboxOptions(tmp_path / "sandbox", Rate(1.0)), print)

    assert not (tmp_path / "sandbox").exists()


def test_with_a_model_that_cannot_be_used_nothing_is_started_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_ORDER_MODEL", "no_such_module:Order")

    with pytest.raises(WrongUse, match="ORDERS_ORDER_MODEL no_such_module:Order cannot be"):
        run_sandbox(SandboxOptions(tmp_path / "sandbox", Rate(1.0)), print)

    assert not (tmp_path / "sandbox").exists()


def test_a_retention_that_the_template_does_not_know_is_refused_with_those_it_knows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ORDERS_RETENTION_HOURS", "60")

    with pytest.raises(WrongUse, match=r"ORDERS_RETENTION_HOURS is '60'; it may be 24, 48, 72,"):
        run_sandbox(SandboxOptions(tmp_path / "sandbox", Rate(1.0)), print)
