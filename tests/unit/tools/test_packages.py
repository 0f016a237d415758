from pathlib import Path

import pytest

from tools.failure import SetUpFailed
from tools.packages import count_fetched, names, slice_of

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = """\
# made by a tool
amazon-kclpy==3.1.3 \\
    --hash=sha256:aa
    # via paced-orders
networkx==3.6.1 ; python_full_version < '3.12' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
networkx==3.7 ; python_full_version >= '3.12' \\
    --hash=sha256:dd
pywin32==312 ; sys_platform == 'win32' \\
    --hash=sha256:ee
"""


def test_a_package_is_counted_once_and_one_for_windows_not_at_all() -> None:
    assert names(REQUIREMENTS) == {"amazon-kclpy", "networkx"}


def test_one_package_is_cut_out_with_its_hashes() -> None:
    assert (
        slice_of(REQUIREMENTS, "amazon-kclpy") == "amazon-kclpy==3.1.3 \\\n    --hash=sha256:aa\n"
    )


def test_a_package_that_is_not_pinned_is_named() -> None:
    with pytest.raises(SetUpFailed, match="does not pin boto3"):
        slice_of(REQUIREMENTS, "boto3")


def test_what_pip_took_up_is_counted() -> None:
    log = "Collecting a==1\n  Using cached a\nRequirement already satisfied: b==1\nBuilt c\n"

    assert count_fetched(log) == 2


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.name)
def test_everything_is_pinned_with_hashes_and_no_registry_is_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    entries = [line for line in text.splitlines() if line and line[0] not in "# "]
    assert entries
    assert all("==" in line and line.endswith("\\") for line in entries)
    assert "://" not in text


def test_all_files_agree_on_each_version() -> None:
    everything = (ROOT / "requirements.txt").read_text(encoding="utf-8")

    for name in ("requirements-lambda.txt", "requirements-consumer.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        entries = {line for line in text.splitlines() if line and line[0] not in "# "}
        assert entries <= set(everything.splitlines())
