"""The archive of the daemon's classes: that it is used, and that a bad one does no harm."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from consumer.kcl.class_archive import CLASS_LIST, HEAP_MEGABYTES, ArchiveFailed, check, make
from consumer.kcl.daemon import ARCHIVE, JAVA_OPTIONS, MAIN_CLASS, Java, archive_options, find_java
from tools.class_list import classes_in, names

JAVA = find_java(None, heap_megabytes=HEAP_MEGABYTES)


def begin(archive: Path, *options: str, java: Java = JAVA) -> str:
    """Start the daemon without the properties that it asks for; what it says until it gives up."""
    ended = subprocess.run(
        [
            *(str(java.program), *JAVA_OPTIONS, *archive_options(archive), *options),
            *("-cp", java.class_path, MAIN_CLASS),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert "Properties file missing" in said
    return said


@pytest.mark.kcl
def test_set_up_made_an_archive_that_this_java_takes_for_these_jars() -> None:
    check(JAVA, ARCHIVE)


@pytest.mark.kcl
def test_the_daemon_takes_its_classes_from_the_archive_and_none_from_the_jars() -> None:
    loaded = begin(ARCHIVE, "-Xlog:class+load:stdout:none").splitlines()

    (main_class,) = [line for line in loaded if line.startswith(f"{MAIN_CLASS} ")]
    assert main_class.endswith("shared objects file")
    from_jars = [line for line in loaded if " source: file:" in line]
    assert len(from_jars) < 50  # its help, which the list has no use for


def truncated(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def damaged(whole: bytes) -> bytes:
    middle = len(whole) // 2
    return (
        whole[:middle]
        + bytes(byte ^ 0xFF for byte in whole[middle : middle + 9])
        + whole[middle + 9 :]
    )


def of_another_java(whole: bytes) -> bytes:
    return whole.replace(b"OpenJDK 64-Bit Server VM (21", b"OpenJDK 64-Bit Server VM (20", 1)


def no_archive(whole: bytes) -> bytes:
    return bytes(reversed(whole[-4096:]))


def empty(whole: bytes) -> bytes:  # noqa: ARG001
    return b""


@pytest.mark.kcl
@pytest.mark.parametrize("spoil", [truncated, damaged, of_another_java, no_archive, empty])
def test_the_daemon_starts_without_an_archive_that_is_no_good_and_says_so_in_a_line(
    spoil: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jsa"
    bad.write_bytes(spoil(ARCHIVE.read_bytes()))

    said = begin(bad)

    assert len([line for line in said.splitlines() if "[warning][cds" in line]) == 1


@pytest.mark.kcl
def test_the_daemon_starts_without_an_archive_of_other_jars(tmp_path: Path) -> None:
    jars = tmp_path / "jars"
    jars.mkdir()
    for jar in sorted(JAVA.jars.glob("*.jar"))[:-1]:
        (jars / jar.name).symlink_to(jar)

    said = begin(ARCHIVE, java=Java(JAVA.program, jars, HEAP_MEGABYTES))

    assert len([line for line in said.splitlines() if "[warning][cds" in line]) == 1


def test_the_daemon_is_not_told_of_an_archive_that_is_not_there(tmp_path: Path) -> None:
    assert archive_options(tmp_path / "none.jsa") == []


def test_an_archive_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    archive = tmp_path / "share" / "kcl.jsa"

    with pytest.raises(ArchiveFailed, match="cannot use a class archive"):
        make(JAVA, archive, class_list=tmp_path / "no.classlist")

    assert list(archive.parent.iterdir()) == []


def test_every_class_of_the_list_is_in_the_jars_or_is_javas_own() -> None:
    listed = CLASS_LIST.read_text(encoding="ascii")

    assert names(listed, classes_in(JAVA.jars.glob("*.jar"))) == listed.splitlines()


def test_the_list_names_only_classes_that_lie_in_a_file() -> None:
    dumped = (
        "# NOTE: Do not modify this file.\n"
        "org/example/Parcel id: 7\n"
        "java/lang/Object id: 0\n"
        "org/example/Gone id: 8\n"
        "@lambda-proxy org/example/Parcel apply ()V\n"
        "jdk/proxy1/$Proxy0 id: 9\n"
        "java/lang/invoke/LambdaForm$MH/0x0000000801003c00 id: 10\n"
    )

    kept = names(dumped, frozenset({"org/example/Parcel", "org/example/Box"}))

    assert kept == ["java/lang/Object", "org/example/Parcel"]
