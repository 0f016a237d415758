"""Can the plain commands of docs/deploy.md be typed as they stand?"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.template import INFRA, ROOT, read_template

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
BLOCKS = [
    one for one in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if "orders deploy" not in one
]
PROGRAMS = ("aws", "docker", "git", "pip", "zip")
# It writes down how it was called, and answers with one word, as `--query ... --output text` does.
STUB = """#!/bin/sh
printf '%s ' "$(basename "$0")" "$@" >> "$CALLS"
echo >> "$CALLS"
[ "$1" = login ] && cat > /dev/null
echo answer
"""


@pytest.fixture
def calls(tmp_path: Path) -> list[str]:
    """What the page calls, when it is followed literally."""
    for name in PROGRAMS:
        (tmp_path / name).write_text(STUB, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "layer").mkdir()

    ended = subprocess.run(
        ["/bin/bash", "-eu", "-o", "pipefail", "-c", "\n".join(BLOCKS)],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(tmp_path / "calls")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    return (tmp_path / "calls").read_text(encoding="utf-8").splitlines()


def test_the_page_followed_literally_has_no_undefined_variable(calls: list[str]) -> None:
    assert len(BLOCKS) == 3
    assert sum(call.startswith("aws cloudformation deploy") for call in calls) == 2
    assert any(call.startswith("docker push answer.dkr.ecr.eu-central-1") for call in calls)


@pytest.mark.parametrize("template", ["pipeline", "consumer"])
def test_the_page_sets_every_parameter_that_has_no_default(calls: list[str], template: str) -> None:
    parameters = read_template(template).body["Parameters"]
    (call,) = (one for one in calls if f"infra/{template}.yaml" in one)

    given = set(re.findall(r" ([A-Z]\w+)=", call.partition("--parameter-overrides")[2]))

    assert {name for name, one in parameters.items() if "Default" not in one} <= given
    assert given <= set(parameters)
    assert (INFRA / f"{template}.yaml").exists()
