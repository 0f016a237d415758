"""Does the daemon know each of our fixed choices, and does each say why it was made?"""

import importlib.util
import itertools
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.template import ROOT

PROPERTIES = ROOT / "properties" / "consumer.properties"
LOGBACK = ROOT / "properties" / "logback.xml"
NAMES = Path(__file__).with_name("kcl_property_names.txt")

RENDERED_BY_THE_WORKER = {
    "executableName",
    "streamName",
    "applicationName",
    "workerId",
    "regionName",
    "initialPositionInStream",
    "kinesisEndpoint",
    "dynamoDBEndpoint",
}
HEAP_BYTES = 128_000_000
LARGEST_AGGREGATE_BYTES = 262_144
# The queue of batches in front of a shard process, and copies of the one on its way as JSON.
BATCHES_IN_MEMORY = 10


def _choices() -> dict[str, str]:
    lines = PROPERTIES.read_text(encoding="ascii").splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return {name.strip(): value.strip() for name, value in pairs}


def _known_names() -> set[str]:
    return set(NAMES.read_text(encoding="ascii").split())


def test_kcl_knows_each_name() -> None:
    assert _choices().keys() | RENDERED_BY_THE_WORKER <= _known_names()


def test_the_list_of_names_is_what_the_installed_jar_reads() -> None:
    found = importlib.util.find_spec("amazon_kclpy")
    assert found is not None
    assert found.origin is not None
    (jar,) = (Path(found.origin).parent / "jars").glob("amazon-kinesis-client-multilang-*.jar")
    with zipfile.ZipFile(jar) as opened:
        classes = [
            opened.read(name)
            for name in opened.namelist()
            if name.endswith(
                ("/MultiLangDaemonConfig.class", "/MultiLangDaemonConfiguration.class")
            )
        ]

    unread = [name for name in _known_names() if not any(_reads(c, name) for c in classes)]

    assert len(classes) == 2
    assert unread == []


def test_no_choice_is_one_that_kcl_takes_for_unset() -> None:
    unset = [name for name, value in _choices().items() if value in {"", "0", "false"}]

    assert unset == []


def test_each_choice_says_why() -> None:
    lines = PROPERTIES.read_text(encoding="ascii").splitlines()

    for before, line in itertools.pairwise(lines):
        if line and not line.startswith("#"):
            assert before.startswith("# "), line


def test_the_worker_stays_free_to_render_what_varies() -> None:
    assert not _choices().keys() & RENDERED_BY_THE_WORKER


@pytest.mark.parametrize("name", ["shutdownGraceMillis", "timeoutInSeconds", "maxActiveThreads"])
def test_what_would_do_harm_is_left_alone(name: str) -> None:
    assert name not in _choices()


def test_the_largest_aggregates_fit_the_heap() -> None:
    records = int(_choices()["maxRecords"])

    assert records * LARGEST_AGGREGATE_BYTES * BATCHES_IN_MEMORY < HEAP_BYTES


def test_a_lease_outlives_a_pause_of_the_daemon() -> None:
    assert 30_000 <= int(_choices()["failoverTimeMillis"]) <= 60_000


def test_the_daemon_logs_warnings_on_stderr_and_no_order() -> None:
    logback = ET.parse(LOGBACK).getroot()  # noqa: S314 - a file of ours

    levels = {logger.get("name"): logger.get("level") for logger in logback.iter("logger")}
    assert {logger.get("level") for logger in logback.iter("root")} == {"WARN"}
    assert [target.text for target in logback.iter("target")] == ["System.err"]
    assert levels["software.amazon.kinesis.multilang"] == "WARN"
    assert levels["software.amazon.kinesis.multilang.DrainChildSTDERRTask"] == "OFF"


def _reads(class_bytes: bytes, name: str) -> bool:
    setter = f"set{name[0].upper()}{name[1:]}"
    return name.encode() in class_bytes or setter.encode() in class_bytes
