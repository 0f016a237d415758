import os
from pathlib import Path

import pytest

from sandbox.folder import occupied
from sandbox.sandbox_errors import WrongUse


def test_a_folder_is_made_with_what_a_sandbox_needs(tmp_path: Path) -> None:
    with occupied(tmp_path / "new" / "one") as folder:
        assert folder.logs.is_dir()
        assert (folder.aws / "tmp").is_dir()
        assert folder.worker.is_dir()


def test_a_second_sandbox_in_a_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with occupied(tmp_path) as folder:
        folder.environment.write_text("export A=1\n")

        with pytest.raises(WrongUse, match=r"runs in .* already \(process \d+\)"):  # noqa: SIM117
            with occupied(tmp_path):
                pass

        assert folder.environment.exists()


def test_a_stopped_sandbox_leaves_its_folder_to_a_fresh_one(tmp_path: Path) -> None:
    with occupied(tmp_path) as folder:
        folder.environment.write_text("export A=1\n")
        folder.log_of("aws").write_text("old")

    with occupied(tmp_path) as folder:
        assert not folder.environment.exists()
        assert list(folder.logs.iterdir()) == []


def test_a_folder_is_renewed_while_a_left_over_process_writes_its_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with occupied(tmp_path) as folder:
        code = folder.aws / "code"
        code.mkdir()
    last_writes = [code / "module.pyc", code / "other.pyc"]
    rmdir = os.rmdir

    def write_before(path: str, *, dir_fd: int | None = None) -> None:
        if path == "code" and last_writes:
            last_writes.pop().write_text("compiled")
        rmdir(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", write_before)

    with occupied(tmp_path) as folder:
        assert not last_writes
        assert [path.name for path in folder.aws.iterdir()] == ["tmp"]


def test_files_of_others_stay_where_a_sandbox_lived(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_text("mine")
    with occupied(tmp_path):
        pass

    with occupied(tmp_path):
        pass

    assert (tmp_path / "orders.jsonl").read_text() == "mine"


@pytest.mark.parametrize("name", ["aws", "logs", "worker", "sandbox.env", "processes.json"])
def test_a_folder_where_others_files_are_in_the_way_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")

    with pytest.raises(WrongUse, match="no sandbox made"), occupied(tmp_path):
        pass

    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("mine")
    with occupied(tmp_path / "sandbox") as folder:
        pass
    for inside in folder.logs.iterdir():
        inside.unlink()
    folder.logs.rmdir()
    folder.logs.symlink_to(elsewhere)

    with occupied(tmp_path / "sandbox") as folder:
        assert not folder.logs.is_symlink()

    assert (elsewhere / "mine").read_text() == "mine"


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")

    with pytest.raises(WrongUse, match="cannot hold a sandbox"), occupied(path):
        pass
