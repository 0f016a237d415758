import json

from sandbox.roster import RosterEntry, roster_text, worker_entries

ARGUMENTS = {
    11: ("java", "-Xmx128m", "software.amazon.kinesis.multilang.MultiLangDaemon", "--x"),
    12: ("/usr/bin/python", "-m", "consumer.kcl.shard"),
    13: ("/bin/sleep", "1"),
    14: (),
}


def test_daemon_and_shard_processes_are_told_by_their_command_lines() -> None:
    entries = worker_entries(ARGUMENTS, ARGUMENTS.__getitem__, lambda pid: f"shard-{pid}")

    assert entries == [RosterEntry("daemon", 11), RosterEntry("shard", 12, "shard-12")]


def test_the_file_lists_role_pid_and_shard() -> None:
    text = roster_text([RosterEntry("aws", 1), RosterEntry("shard", 2, "shardId-0")])

    assert json.loads(text) == [
        {"role": "aws", "pid": 1, "shard": None},
        {"role": "shard", "pid": 2, "shard": "shardId-0"},
    ]
