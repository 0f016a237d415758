"""Where lanes are kept."""

from typing import Protocol

from ledger.uploads.lane import Lane, LaneKey
from ledger.uploads.settlement import Settlement


class LaneLedger(Protocol):
    """Where lanes are kept."""

    def read_lane(self, key: LaneKey) -> Lane | None:
        """The lane as it is now (a consistent read), None where no such lane was begun."""

    def settle(self, lane: Lane, settlement: Settlement) -> Lane:
        """Add a settlement to the lane and return it as it then is.

        `lane` is the caller's last view of it: the write compares and sets on its revision; a newer
        one is read and the settlement applied to that. Raises LaneMissing where there is no row.
        """
