"""A shard at work whose threads end with the test, and one that does not rest long."""

from collections.abc import Callable, Iterator

import pytest

from consumer.delivery import delivery, settle_queue
from consumer.sending import leased_shard, sender_threads
from tests.support.shard_at_work import ShardAtWork


@pytest.fixture
def managed() -> Iterator[Callable[[ShardAtWork], ShardAtWork]]:
    """Have a shard's threads end with the test."""
    all_managed: list[ShardAtWork] = []

    def manage(work: ShardAtWork) -> ShardAtWork:
        all_managed.append(work)
        return work

    yield manage
    for work in all_managed:
        work.leave()


@pytest.fixture
def short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what failed tried again soon, and what is new seen soon."""
    monkeypatch.setattr(delivery, "REFRESH_SECONDS", 0.05)
    monkeypatch.setattr(settle_queue, "SETTLE_SPACING_SECONDS", 0.02)
    monkeypatch.setattr(settle_queue, "FAILED_SECONDS", 0.02)
    monkeypatch.setattr(sender_threads, "LEDGER_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(leased_shard, "LEDGER_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(leased_shard, "CHECKPOINT_SECONDS", 0.02)
    monkeypatch.setattr(leased_shard, "ORPHAN_CHECK_SECONDS", 0.01)
