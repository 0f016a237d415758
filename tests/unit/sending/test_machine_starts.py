"""Do processes of one machine keep their distance through a file that they share?"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from consumer.delivery.starts import UNSENT_SECONDS
from consumer.sending.machine_starts import MachineStarts, starts_file
from ledger.ports.pace import GAP_SHARE

SPACING = 0.02
STARTS = 60
CHILD = """
import sys, time
from pathlib import Path
from consumer.sending.machine_starts import MachineStarts
starts = MachineStarts(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    while (when := starts.start(float(sys.argv[3]), 0.0, time.monotonic())) is not None:
        time.sleep(max(0.0, when - time.monotonic()))
    print(time.monotonic())
    starts.sent(0.0)
"""

Opens = Callable[[], MachineStarts]


@pytest.fixture(name="clock")
def _clock() -> list[float]:
    return [1_000.0]


@pytest.fixture(name="opens")
def _opens(tmp_path: Path, clock: list[float]) -> Opens:
    return lambda: MachineStarts(tmp_path / "starts", clock=lambda: clock[0])


def test_a_start_of_one_process_is_seen_by_another(opens: Opens, clock: list[float]) -> None:
    one, other = opens(), opens()
    assert one.start(1.0, 0.0, 50.0) is None
    one.sent(50.0)

    clock[0] += 0.4

    assert other.start(1.0, 0.0, 80.0) == pytest.approx(80.0 + GAP_SHARE - 0.4)
    assert one.machine == other.machine != ""


def test_starts_of_several_processes_are_never_closer_than_the_spacing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path / "starts"), str(STARTS), str(SPACING)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    lines = [line for child in children for line in child.communicate()[0].splitlines()]

    moments = sorted(float(line) for line in lines)

    # Each prints a moment after its start and before its request counts as sent.
    assert len(moments) == 3 * STARTS
    assert min(after - before for before, after in pairwise(moments)) > 0.5 * SPACING
    assert moments[-1] - moments[0] >= (3 * STARTS - 1) * GAP_SHARE * SPACING - 0.005


def test_a_process_that_died_while_sending_holds_nobody_up(
    opens: Opens, clock: list[float]
) -> None:
    opens().start(SPACING, 0.0, 0.0)

    clock[0] += SPACING + UNSENT_SECONDS

    assert opens().start(SPACING, 0.0, 0.0) is None


def test_only_the_process_that_started_last_says_that_it_has_sent(
    opens: Opens, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opens()
    one.start(SPACING, 0.0, 0.0)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    one.sent(0.0)

    clock[0] += SPACING

    assert one.start(SPACING, 0.0, 0.0) is not None


def test_a_process_that_was_frozen_with_the_lock_holds_nobody_up(
    opens: Opens, tmp_path: Path
) -> None:
    starts = opens()
    with (tmp_path / "starts").open() as frozen:
        fcntl.flock(frozen, fcntl.LOCK_EX)
        began = time.monotonic()

        assert starts.start(SPACING, 0.0, 0.0) is None
        assert time.monotonic() - began < 5.0


def test_the_file_of_another_user_or_a_link_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        MachineStarts(tmp_path / "other")
    with pytest.raises(OSError, match="not a file of this user"):
        MachineStarts(Path("/dev/null"))


def test_each_ledger_has_a_file_of_its_own(tmp_path: Path) -> None:
    names = {starts_file(tmp_path, f"https://dynamodb/{table}") for table in ("a", "b")}

    assert len(names) == 2
    assert {name.parent for name in names} == {tmp_path}
