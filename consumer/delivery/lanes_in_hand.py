"""Which lanes does this process take records of?"""

from collections.abc import Collection, Iterable

from consumer.delivery.entries import Entry, StreamRecord
from consumer.delivery.lane_track import LaneTrack
from ledger.uploads.lane import Lane, LaneKey, LaneNumber
from orders.envelope import EndMarker, OrderEnvelope

REFRESH_UPLOADS = 8
"""At each refresh, so many uploads, in turn, are asked whether they are cancelled."""


class LanesInHand:
    """The lanes that have begun, and are not at their end in the ledger."""

    def __init__(self) -> None:
        self._tracks: dict[LaneKey, LaneTrack] = {}
        self._asked = 0

    def __getitem__(self, key: LaneKey) -> LaneTrack:
        """A lane that has begun."""
        return self._tracks[key]

    def begin(self, lane: Lane, *, is_cancelled: bool) -> None:
        """Start a lane where the ledger stands."""
        self._tracks[lane.key] = LaneTrack.begin(lane, is_cancelled=is_cancelled)

    def unread(self, records: Iterable[StreamRecord]) -> list[LaneKey]:
        """The lanes whose rows must be read, and the lanes begun, before these records are taken.

        A refresh asks only after lanes with orders in hand whether they are cancelled, so an end
        marker has the row of any other read again: orders that never came are then cancelled, not
        missing.
        """
        unread: dict[LaneKey, None] = {}
        for item in (record.item for record in records):
            if isinstance(item, OrderEnvelope | EndMarker):
                key = lane_key_of(item)
                track = self._tracks.get(key)
                is_outdated = track and track.was_used and not track.in_hand
                if track is None or (is_outdated and isinstance(item, EndMarker)):
                    unread[key] = None
        return list(unread)

    def to_refresh(self) -> tuple[LaneKey, ...]:
        """A lane of each upload that has orders in hand; of many uploads, the next few."""
        keys = list({key.upload: key for key, t in self._tracks.items() if t.in_hand}.values())
        begin = self._asked % max(len(keys), 1)
        self._asked += REFRESH_UPLOADS
        return tuple((*keys[begin:], *keys[:begin])[:REFRESH_UPLOADS])

    def cancel(self, cancelled: Collection[LaneKey]) -> None:
        """The uploads of these lanes are cancelled, with all their lanes."""
        uploads = {key.upload for key in cancelled}
        for key, track in self._tracks.items() if uploads else ():
            track.is_cancelled |= key.upload in uploads

    def settled(self, lane: Lane, entries: Iterable[Entry]) -> bool:
        """Entries are in the ledger, and this is the lane's row after it; True at the lane's end.

        A repeat of a lane that is at its end has its row read again.
        """
        track = self._tracks[lane.key]
        track.lane = lane
        for entry in entries:
            del track.in_hand[entry]
        is_over = lane.ended and not track.in_hand
        if is_over:
            del self._tracks[lane.key]
        return is_over


def lane_key_of(item: OrderEnvelope | EndMarker) -> LaneKey:
    """The lane that an envelope belongs to."""
    return LaneKey(item.upload, LaneNumber(item.lane))
