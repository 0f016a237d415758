from pathlib import Path

import pytest

from tools import jars

SUM = "a" * 64
OTHER = "b" * 64


def test_the_committed_list_reads_and_names_the_kcl() -> None:
    known = jars.parse(jars.LIST.read_text(encoding="ascii"))

    assert "amazon-kinesis-client-multilang-3.1.3.jar" in known
    assert len(known) == 79


def test_the_jars_of_this_environment_are_those_of_the_list() -> None:
    import amazon_kclpy  # noqa: PLC0415 - the module is only looked up here

    site_packages = Path(amazon_kclpy.__file__).parent.parent

    assert jars.check(site_packages) == 79


@pytest.mark.parametrize(
    "text",
    [
        f"{SUM} one.jar\n",
        f"{SUM[:-1]}  one.jar\n",
        f"{SUM}  lib/one.jar\n",
        f"{SUM}  one.zip\n",
        f"{SUM}  one.jar\n{OTHER}  one.jar\n",
        "\n",
    ],
)
def test_a_line_that_is_not_a_sum_and_a_jar_is_refused_with_its_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"jars\.sha256, line [12]"):
        jars.parse(text)


def test_files_beside_the_jars_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "one.jar").write_bytes(b"1")
    (tmp_path / "__init__.py").touch()
    (tmp_path / "__pycache__").mkdir()

    assert list(jars.sums_of(tmp_path)) == ["one.jar"]


def test_the_same_jars_pass() -> None:
    jars.compare({"one.jar": SUM}, {"one.jar": SUM})


@pytest.mark.parametrize(
    ("present", "complaint"),
    [
        ({}, "1 missing (one.jar)"),
        ({"one.jar": OTHER}, "1 with different content (one.jar)"),
        ({"one.jar": SUM, "two.jar": SUM}, "1 not in jars.sha256 (two.jar)"),
    ],
)
def test_each_difference_is_named(present: dict[str, str], complaint: str) -> None:
    with pytest.raises(jars.JarsDiffer) as differs:
        jars.compare({"one.jar": SUM}, present)

    assert str(differs.value) == f"The KCL's jars are not those of jars.sha256: {complaint}"


def test_of_many_jars_three_are_named() -> None:
    known = {f"{number}.jar": SUM for number in range(5)}

    with pytest.raises(jars.JarsDiffer) as differs:
        jars.compare(known, {})

    assert "5 missing (0.jar, 1.jar, 2.jar, ...)" in str(differs.value)
