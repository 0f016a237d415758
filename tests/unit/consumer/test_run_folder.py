"""The run folder: emptied at the start, read by anybody, gone where it is private."""

import json
from pathlib import Path

import pytest

from consumer.run_folder import (
    Phase,
    RunFolder,
    ShardFile,
    WorkerFile,
    open_run_folder,
    shard_path,
    write_shard,
)


def shard_file(folder: RunFolder, pid: int, **changes: object) -> None:
    row = {"pid": pid, "shard": "shardId-0", "since": 1.0, "alive_at": 2.0, **changes}
    (folder.path / f"shard-{pid}.json").write_text(json.dumps(row), encoding="utf-8")


def test_what_an_earlier_worker_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    folder = open_run_folder(tmp_path / "run")
    shard_file(folder, 7)
    (folder.metrics / "counter_7.db").write_bytes(b"left")
    (folder.path / "notes.txt").write_text("somebody's own", encoding="utf-8")

    again = open_run_folder(tmp_path / "run")

    assert again.shards() == []
    assert list(again.metrics.iterdir()) == []
    assert (again.path / "notes.txt").exists()


def test_what_shard_processes_say_is_read_and_broken_files_are_no_news(tmp_path: Path) -> None:
    folder = open_run_folder(tmp_path)
    shard_file(folder, 7, unsettled=3, sending="held", reason="503", later="field")
    (folder.path / "shard-8.json").write_text("{", encoding="utf-8")

    assert folder.shards() == [
        ShardFile(pid=7, shard="shardId-0", since=1, alive_at=2, unsettled=3, sending="held",
                  reason="503")
    ]  # fmt: skip


def test_the_file_of_a_process_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    folder = open_run_folder(tmp_path)
    shard_file(folder, 7)

    folder.forget_shard(7)
    folder.forget_shard(7)

    assert folder.shards() == []


def test_the_worker_tells_how_it_is(tmp_path: Path) -> None:
    folder = open_run_folder(tmp_path)

    folder.write_worker(WorkerFile(5, 1, 6, 100.5, Phase.RUNNING))

    said = json.loads((tmp_path / "worker.json").read_text(encoding="utf-8"))
    assert said == {
        "pid": 5,
        "number": 1,
        "daemon_pid": 6,
        "daemon_started_at": 100.5,
        "state": "running",
    }


def test_a_private_folder_is_gone_afterwards_and_a_given_one_is_emptied(tmp_path: Path) -> None:
    with open_run_folder(None) as private, open_run_folder(tmp_path) as given:
        assert private.path.is_dir()
        given.write_worker(WorkerFile(5, None, None, None, Phase.WAITING))

    assert not private.path.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = open_run_folder(tmp_path)
    assert folder.trouble() == ""

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        patch.setattr(Path, "write_text", full)
        folder.write_worker(WorkerFile(5, 1, 6, 100.5, Phase.RUNNING))
        assert "No space left" in folder.trouble()

    assert folder.trouble() == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics"]


def test_a_reason_that_utf_8_cannot_express_is_written_all_the_same(tmp_path: Path) -> None:
    shard = ShardFile(pid=1, shard="shardId-0", since=1.0, alive_at=2.0, reason="order \ud800")

    write_shard(tmp_path, shard)

    assert json.loads(shard_path(tmp_path, 1).read_text())["reason"] == "order \ud800"
