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
from ledger.pace.pace import GAP_SHARE

NOW = 1_000.0
SPACING = 0.02
STARTS = 60
CHILD = """
import sys, time
from pathlib import Path
from consumer.delivery.starts import LEAD_SECONDS
from consumer.sending.machine_starts import MachineStarts
starts = MachineStarts(Path(sys.argv[1]), offset=lambda: 0.0)
for _ in range(int(sys.argv[2])):
    while True:
        now = time.monotonic()
        at, is_planned = starts.plan(float(sys.argv[3]), 0.0, earliest=now, now=now)
        if is_planned:
            break
        time.sleep(max(0.0, at - LEAD_SECONDS - time.monotonic()))
    time.sleep(max(0.0, at - time.monotonic()))
    print(now := time.monotonic())
    starts.sent(now - at, 0.0)
"""

Opens = Callable[..., MachineStarts]


@pytest.fixture(name="opens")
def _opens(tmp_path: Path) -> Opens:
    return lambda offset=0.0: MachineStarts(tmp_path / "starts", offset=lambda: offset)


def planned(starts: MachineStarts, spacing: float, now: float) -> tuple[float, bool]:
    """When the next attempt starts, asked in its turn, and whether that is a plan."""
    return starts.plan(spacing, 0.0, earliest=now, now=now)


def test_a_start_of_one_process_is_seen_by_another_whatever_its_clock_says(opens: Opens) -> None:
    one, other = opens(offset=30.0), opens(offset=70.0)
    assert planned(one, 1.0, 1_030.0) == (1_030.0, True)
    one.sent(0.0, 0.0)

    at, is_planned = planned(other, 1.0, 1_070.4)
    assert at == pytest.approx(1_070.0 + GAP_SHARE)
    assert not is_planned
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


def test_a_process_that_died_while_sending_holds_nobody_up(opens: Opens) -> None:
    planned(opens(), SPACING, NOW)

    later = NOW + SPACING + UNSENT_SECONDS
    assert planned(opens(), SPACING, later) == (later, True)


def test_only_the_process_that_started_last_says_that_it_has_sent(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opens()
    planned(one, SPACING, NOW)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    one.sent(0.0, 0.0)

    _, is_planned = planned(one, SPACING, NOW + SPACING)
    assert not is_planned


def test_a_process_that_was_frozen_with_the_lock_holds_nobody_up(
    opens: Opens, tmp_path: Path
) -> None:
    starts = opens()
    with (tmp_path / "starts").open() as frozen:
        fcntl.flock(frozen, fcntl.LOCK_EX)
        began = time.monotonic()

        assert planned(starts, SPACING, NOW) == (NOW, True)
        assert time.monotonic() - began < 5.0


def test_the_file_of_another_user_or_a_link_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        MachineStarts(tmp_path / "other", offset=lambda: 0.0)
    with pytest.raises(OSError, match="not a file of this user"):
        MachineStarts(Path("/dev/null"), offset=lambda: 0.0)


def test_each_ledger_has_a_file_of_its_own(tmp_path: Path) -> None:
    names = {starts_file(tmp_path, f"https://dynamodb/{table}") for table in ("a", "b")}

    assert len(names) == 2
    assert {name.parent for name in names} == {tmp_path}
