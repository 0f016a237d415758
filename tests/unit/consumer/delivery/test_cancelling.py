"""How does a cancelled upload end, whatever else is in hand?"""

import pytest

from ledger.pace import steps
from ledger.uploads.upload import UploadState
from tests.support.fleet import Fate, Fleet, PlannedOrder
from tests.support.simulated import START

LANE = [PlannedOrder(1, twin, Fate.KEPT) for twin in range(14)]


def fleet_of(*, uploads: int, lanes: int) -> Fleet:
    fleet = Fleet([[LANE] * lanes] * uploads, shards=1, seed=0, is_late=False)
    fleet.change_pace(lambda pace: steps.configure(pace, "1/s", now=START))
    fleet.start(fleet.shards[0])
    return fleet


def test_all_lanes_of_an_upload_are_cancelled_at_once() -> None:
    fleet = fleet_of(uploads=1, lanes=20)
    fleet.run(2.0)
    (account,) = fleet.accounts

    fleet.ledger.cancel(account.upload.id, reason="wrong file", now=fleet.timeline.now())
    fleet.run(3.0)

    (account,) = fleet.accounts
    assert account.upload.state is UploadState.CANCELLED
    assert account.waiting == 0
    assert len(fleet.api.requests) <= 3


@pytest.mark.parametrize("number", [0, 7, 11])
def test_any_of_many_uploads_in_hand_can_be_cancelled(number: int) -> None:
    fleet = fleet_of(uploads=12, lanes=1)
    fleet.run(2.0)
    upload = fleet.accounts[number].upload.id

    fleet.ledger.cancel(upload, reason="wrong file", now=fleet.timeline.now())
    fleet.run(14.0 * 12)

    tallies = [account.tally for account in fleet.accounts]
    assert sum(tally.cancelled for tally in tallies) >= 12
    assert tallies[number].cancelled + tallies[number].accepted == 14
    assert sum(tally.settled for tally in tallies) == 14 * 12
