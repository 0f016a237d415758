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
