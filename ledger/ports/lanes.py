"""Where lanes are kept."""

from typing import Protocol

from ledger.uploads.lane import Lane, LaneKey
from ledger.uploads.settlement import Settlement


class LaneLedger(Protocol):
    """Where lanes are kept."""

    def read_lane(self, key: LaneKey) -> Lane | None:
        """The lane as it is now (a consistent read); None if it has no row."""

    def settle(self, lane: Lane, settlement: Settlement) -> Lane:
        """Add a settlement to the lane and return the result.

        `lane` is the caller's last view: the write compares and sets on its revision; if there is a
        newer one, the settlement is applied to that. Raises LaneMissing if there is no row.
        """
