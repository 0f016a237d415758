"""A shard at work whose threads end with the test, and one that does not rest long."""

from collections.abc import Callable, Iterator

import pytest

from consumer.delivery import delivery, settling
from consumer.sending import crew, shard
from tests.unit.sending.shard_at_work import ShardAtWork


@pytest.fixture
def hired() -> Iterator[Callable[[ShardAtWork], ShardAtWork]]:
    """Have a shard's threads end with the test."""
    all_hired: list[ShardAtWork] = []

    def hire(work: ShardAtWork) -> ShardAtWork:
        all_hired.append(work)
        return work

    yield hire
    for work in all_hired:
        work.leave()


@pytest.fixture
def short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what failed tried again soon, and what is new seen soon."""
    monkeypatch.setattr(delivery, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(settling, "SETTLE_SECONDS", 0.02)
    monkeypatch.setattr(settling, "FAILED_SECONDS", 0.02)
    monkeypatch.setattr(crew, "LEDGER_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(shard, "LEDGER_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(shard, "CHECKPOINT_SECONDS", 0.02)
    monkeypatch.setattr(shard, "WATCH_SECONDS", 0.01)
