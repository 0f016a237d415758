import json

from sandbox.monitor import ListedProcess, processes_json, worker_processes

ARGUMENTS = {
    11: ("java", "-Xmx128m", "software.amazon.kinesis.multilang.MultiLangDaemon", "--x"),
    12: ("/usr/bin/python", "-m", "consumer.kcl.shard"),
    13: ("/bin/sleep", "1"),
    14: (),
}


def test_daemon_and_shard_processes_are_recognized_by_their_command_lines() -> None:
    entries = worker_processes(ARGUMENTS, ARGUMENTS.__getitem__, {12: "shard-12"})

    assert entries == [ListedProcess("daemon", 11), ListedProcess("shard", 12, "shard-12")]


def test_the_file_lists_role_pid_and_shard() -> None:
    text = processes_json([ListedProcess("aws", 1), ListedProcess("shard", 2, "shardId-0")])

    assert json.loads(text) == [
        {"role": "aws", "pid": 1, "shard": None},
        {"role": "shard", "pid": 2, "shard": "shardId-0"},
    ]
