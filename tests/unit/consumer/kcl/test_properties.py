"""What the daemon reads: properties without surprises, and a script for its children."""

from pathlib import Path

import pytest

from consumer.kcl.properties import (
    FIXED_PROPERTIES,
    LOGBACK,
    DaemonPlace,
    kcl_worker_id,
    properties_text,
    render,
    shard_script_text,
)

PLACE = DaemonPlace("stream", "orders", "orders-1", "eu-central-1", None)
KNOWN = Path(__file__).parents[2] / "infra" / "kcl_property_names.txt"


def rows(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {name.strip(): value.strip() for name, value in (line.split("=", 1) for line in lines)}


def test_what_differs_from_place_to_place_is_added_to_what_is_fixed() -> None:
    found = rows(properties_text(PLACE, "maxRecords = 20\n"))

    assert found == {
        "maxRecords": "20",
        "executableName": "/bin/sh shard",
        "streamName": "stream",
        "applicationName": "orders",
        "workerId": "orders-1",
        "regionName": "eu-central-1",
        "initialPositionInStream": "TRIM_HORIZON",
    }


def test_a_stand_in_for_aws_is_named_for_all_three_services() -> None:
    place = DaemonPlace("stream", "orders", "orders-1", "eu-central-1", "http://127.0.0.1:4566")

    found = rows(properties_text(place, ""))

    names = ("kinesisEndpoint", "dynamoDBEndpoint", "cloudWatchClient.endpointOverride")
    assert {found[name] for name in names} == {"http://127.0.0.1:4566"}


def test_a_value_of_two_lines_is_refused() -> None:
    place = DaemonPlace("stream\nmaxRecords = 1", "orders", "orders-1", "eu-central-1", None)

    with pytest.raises(ValueError, match="one line"):
        properties_text(place, "")


def test_every_name_is_one_that_kcl_knows_and_stands_once(tmp_path: Path) -> None:
    place = DaemonPlace("stream", "orders", "orders-1", "eu-central-1", "http://127.0.0.1:4566")
    text = render(place, tmp_path).read_text(encoding="utf-8")
    known = set(KNOWN.read_text(encoding="utf-8").split())

    names = [line.split("=")[0].strip() for line in text.splitlines() if line[:1].isalpha()]

    assert len(names) == len(set(names))
    assert {name.split(".")[0] for name in names} <= known


def test_the_script_becomes_the_shard_process_wherever_it_is_started(tmp_path: Path) -> None:
    render(PLACE, tmp_path, module="this_module")

    script = (tmp_path / "shard").read_text(encoding="utf-8")

    assert script == shard_script_text("this_module")
    assert script.splitlines()[0].startswith("cd ")
    assert script.splitlines()[1].startswith("exec ")
    assert script.splitlines()[1].endswith(" -m this_module")


def test_the_fixed_files_are_there() -> None:
    assert FIXED_PROPERTIES.is_file()
    assert LOGBACK.is_file()


def test_a_workers_name_in_the_lease_table_is_the_same_at_each_start() -> None:
    assert kcl_worker_id("orders", 1) == "orders-1"
