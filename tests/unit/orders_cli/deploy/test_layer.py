import io
import zipfile
from pathlib import Path

import pytest

from orders_cli.deploy import layer
from orders_cli.deploy.command_environment import command_environment, export_lines
from orders_cli.failures import CommandFailed
from tests.support.template import INFRA


def wheel(folder: Path, *, year: int) -> Path:
    path = folder / f"{year}" / "thing-1-py3-none-any.whl"
    path.parent.mkdir()
    names = ["thing.py", "thing-1.data/scripts/thing", "thing-1.data/purelib/more.py"]
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), "x = 1\n")
    return path


def test_the_same_files_are_the_same_layer_whenever_they_were_packed(tmp_path: Path) -> None:
    first = layer.layer_archive([wheel(tmp_path, year=2020)])
    second = layer.layer_archive([wheel(tmp_path, year=2026)])

    assert first == second
    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    assert names == ["python/more.py", "python/thing.py"]


def test_the_platform_is_that_of_the_function() -> None:
    body = (INFRA / "pipeline.yaml").read_text(encoding="utf-8")

    assert layer.runtime_of(body) == ("3.13", "manylinux2014_x86_64")
    assert layer.runtime_of(body.replace("- x86_64", "- arm64"))[1] == "manylinux2014_aarch64"


def test_more_than_lambda_takes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = layer.layer_archive([wheel(tmp_path, year=2020)])
    monkeypatch.setattr(layer, "UNPACKED_BYTES_MAX", 23)

    with pytest.raises(CommandFailed, match="unpacked"):
        layer.check_unpacked(archive, archive)

    assert layer.check_unpacked(archive) == 12


def test_a_value_with_a_quote_is_quoted_for_the_shell() -> None:
    found = command_environment(
        {"BucketName": "b"}, {"CsvDelimiter": "';", "OrderModel": ""}, region="eu-west-1"
    )

    assert export_lines(found) == [
        "export AWS_REGION=eu-west-1",
        "export ORDERS_BUCKET=b",
        """export ORDERS_CSV_DELIMITER=''"'"';'""",
    ]
