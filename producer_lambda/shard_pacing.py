"""Pacing the writes to each shard.

A shard takes 1 MB and 1,000 records per second; beyond that Kinesis throttles. Waiting costs less
than being throttled, and leaves room for other writers.
"""

from bisect import bisect_right
from collections.abc import Sequence

from producer_lambda.stream import HashRange

RECORDS_PER_SECOND = 1_000
BURST_SECONDS = 0.5
"""Lateness up to this is made up for, so that a slow call does not lower the rate."""


class ShardPacing:
    """When each shard may be written to next, in seconds of the caller's clock."""

    def __init__(self, shards: Sequence[HashRange], *, bytes_per_second: int) -> None:
        self._bytes_per_second = bytes_per_second
        self._firsts: list[int] = []
        self._free_at: list[float] = []
        self.follow(shards)

    def follow(self, shards: Sequence[HashRange]) -> None:
        """Replace the shards by those open now; what was written stays counted."""
        latest = max(self._free_at, default=0.0)
        self._firsts = sorted(shard.first for shard in shards) or [0]
        self._free_at = [latest] * len(self._firsts)

    def wait_seconds(self, hash_key: str, *, now: float) -> float:
        """How long until the shard of this key may be written to."""
        return max(0.0, self._free_at[self._shard(hash_key)] - now)

    def spend(self, hash_key: str, sent_bytes: int, *, now: float) -> None:
        """Count a record written at `now`, which may be slightly in the future."""
        shard = self._shard(hash_key)
        cost = max(sent_bytes / self._bytes_per_second, 1 / RECORDS_PER_SECOND)
        self._free_at[shard] = max(self._free_at[shard], now - BURST_SECONDS) + cost

    def _shard(self, hash_key: str) -> int:
        return max(0, bisect_right(self._firsts, int(hash_key)) - 1)
