"""The status page: what is left, when it is done, what stands in the way, what to do."""

import re
from dataclasses import replace
from html import unescape

import pytest

from consumer.telemetry.chart import HEIGHT, WIDTH, chart
from consumer.telemetry.health import Finding
from consumer.telemetry.page import Page, make_page, percent_settled
from consumer.telemetry.snapshot import LedgerSnapshot, Rare
from consumer.telemetry.wording import pace_text, rough_duration, thousands
from consumer.telemetry.worker_view import WorkerView
from ledger.pace.history import Sample
from ledger.pace.hold import Failure, HoldKind
from ledger.pace.pace import Blocker, Override, Pace, Pause
from ledger.pace.steps import block, failed, override
from ledger.pace.steps import pause as paused
from ledger.uploads.lane import Tally
from ledger.uploads.upload import UploadState
from tests.support import seen

WAITING = seen.account(tally=Tally(accepted=30, refused=2))


def page(ledger: LedgerSnapshot | None, *findings: Finding, rare: Rare | None = None) -> Page:
    return make_page(seen.snapshot(ledger, seen.shard(), rare=rare), list(findings))


def lines(shown: Page) -> list[str]:
    """The text of the page, a line for each line of the HTML that has any."""
    texts = (unescape(re.sub("<[^>]*>", "", line)).strip() for line in shown.render().splitlines())
    return [text for text in texts if text]


def test_it_says_what_is_left_and_when_it_is_done() -> None:
    shown = page(seen.ledger_seen(WAITING))

    assert lines(shown)[3:7] == [
        "68 orders wait",
        "Done in 1 min 8 s, on Mon 12 Jan 1970, 13:47 UTC.",
        "Pace 1 per s (configured).",
        "The oldest waiting order leaves the stream in 89 d 23 h.",
    ]
    assert shown.is_fine
    assert "Worker number 1, 1 shard." in lines(shown)


def test_it_says_what_the_api_says_about_its_limits() -> None:
    silent = seen.shard()
    telling = silent.model_copy(update={"api_limits": "60 a minute, 12 left"})

    shown = make_page(seen.snapshot(seen.ledger_seen(WAITING), silent, telling), [])

    assert "The API says: 60 a minute, 12 left." in lines(shown)
    assert not [line for line in lines(page(seen.ledger_seen(WAITING))) if "API says" in line]


def test_each_upload_shows_its_progress_and_its_problems() -> None:
    gone = seen.ended(seen.account(2, tally=Tally(accepted=1234, missing=1), invalid=2))

    shown = lines(page(seen.ledger_seen(WAITING), rare=Rare((gone,))))

    first, second = (at for at, line in enumerate(shown) if line == "uploads/a.jsonl")
    assert shown[first + 1] == ("sending 30 accepted, 68 waiting, 100 lines read, 2 refused")
    assert shown[first + 2] == "32 %"
    assert shown[second + 1].startswith("done with problems ")
    assert shown[second + 1].endswith(" lines read, 2 invalid, 1 missing")
    assert shown[second + 2] == "100 %"


def test_while_it_is_read_progress_is_that_of_the_estimate() -> None:
    reading = seen.account(tally=Tally(accepted=10), enqueued=20, state=UploadState.READING)
    reading = replace(reading, upload=replace(reading.upload, estimate=100))
    announced = seen.account(tally=Tally(), enqueued=0, state=UploadState.READING)

    assert percent_settled(reading) == 10
    assert percent_settled(announced) == 0


@pytest.mark.parametrize(
    ("pace_item", "what", "advice"),
    [
        (Pace(), "blocked", "ORDERS_RATE"),
        (
            paused(seen.ONE_PER_SECOND, Pause("ann", "stocktaking", since=0.0, until=None)),
            "paused by ann: stocktaking",
            "`orders resume`",
        ),
        (
            block(seen.ONE_PER_SECOND, "b", Blocker("refusal budget spent", "30 of 40", since=0.0)),
            "30 of 40",
            "then run `orders resume`",
        ),
        (
            failed(
                seen.ONE_PER_SECOND,
                Failure(HoldKind.UNAUTHORIZED, 0, "401", 0.0, seen.NOW),
                now=seen.NOW,
            ),
            "unauthorized: 401",
            "ORDERS_API_TOKEN_FILE",
        ),
    ],
)
def test_what_stands_in_the_way_comes_with_what_to_do(
    pace_item: Pace, what: str, advice: str
) -> None:
    shown = page(seen.ledger_seen(WAITING, pace=pace_item))

    assert not shown.is_fine
    assert what in shown.obstacles[0].what
    assert advice in shown.obstacles[0].advice


def test_a_short_runway_is_told_in_warning() -> None:
    shown = page(seen.ledger_seen(WAITING, retention_days=1.0))

    assert "lost in 23 h" in shown.obstacles[0].what


def test_who_set_the_pace_and_who_paused_is_told_with_the_end() -> None:
    hurry = Override("2/s", "ann", "their window", until=seen.NOW + 600)
    pace_item = override(seen.ONE_PER_SECOND, hurry, now=seen.NOW)
    pause = Pause("bob", "stocktaking", since=seen.NOW - 60, until=seen.NOW + 60)

    shown = page(seen.ledger_seen(WAITING, pace=paused(pace_item, pause)))

    assert any(
        "(override by ann until Mon 12 Jan 1970, 13:56 UTC: their window)" in line
        for line in lines(shown)
    )
    assert "paused by bob: stocktaking, since Mon 12 Jan 1970, 13:45 UTC, until " in (
        shown.obstacles[0].what
    )


def test_a_pace_that_is_not_reached_is_told_and_gives_the_finish() -> None:
    samples = tuple(Sample(seen.NOW - 600 + at, at // 2, 2_000, 1.0) for at in range(0, 600, 10))
    half = seen.account(tally=Tally(accepted=300), enqueued=400)

    shown = page(seen.ledger_seen(half, samples=samples))

    finish, pace_told = lines(shown)[4:6]
    assert finish.startswith("Done in 3 min 20 s, on ")
    assert finish.endswith(", at the 30 per min achieved.")
    assert pace_told == "Pace 1 per s (configured); 30 per min over the last 1 min."
    assert shown.obstacles[0].what == "Only 30 per min of the 1 per s is achieved (50%)."


def test_while_a_file_is_read_the_finish_is_that_of_all_of_it() -> None:
    reading = seen.account(tally=Tally(accepted=10), enqueued=20, state=UploadState.READING)
    reading = replace(reading, upload=replace(reading.upload, estimate=100))

    shown = page(seen.ledger_seen(reading))

    finish = lines(shown)[4]
    assert finish.startswith("Done in about 1 min 30 s, on ")
    assert finish.endswith("; 80 more are still to be read, as estimated.")


def test_a_cancelled_upload_is_cancelling_until_its_rest_is_settled() -> None:
    cancelled = seen.account(tally=Tally(accepted=10), state=UploadState.CANCELLED)

    shown = page(seen.ledger_seen(cancelled))

    assert any(line.startswith("cancelling ") for line in lines(shown))
    assert lines(shown)[3:5] == ["0 orders wait", "Pace 1 per s (configured)."]


def test_what_is_wrong_with_the_worker_is_told_too() -> None:
    finding = Finding("clock", is_fine=False, says="+3.0 s off DynamoDB's")

    shown = page(seen.ledger_seen(), finding)

    assert shown.obstacles[0].what == "clock: +3.0 s off DynamoDB's."
    assert not shown.is_fine


def test_what_the_worker_waits_for_before_it_begins_is_told() -> None:
    begun = seen.snapshot(seen.ledger_seen(WAITING))
    waiting = WorkerView(number=1, waits_for="waiting for DynamoDB: the index is CREATING")

    shown = make_page(replace(begun, worker=waiting), [])

    assert "Worker number 1, waiting for DynamoDB: the index is CREATING." in lines(shown)


def test_before_the_ledger_was_read_it_says_so() -> None:
    shown = page(None)

    assert lines(shown)[:4] == [
        "? waiting, starting - Paced Orders",
        "Paced Orders",
        "starting",
        "? The ledger has not been read yet.",
    ]
    assert shown.chart is None
    assert "No upload is open, and none ended in the last 30 days." in lines(shown)


def test_the_chart_shows_the_pace_between_samples_up_to_now() -> None:
    samples = [Sample(seen.NOW - 30 + t, 2 * t, 100) for t in range(30)]
    samples.append(Sample(seen.NOW, 60, 100))

    picture = chart(samples, target_per_second=4.0, now=seen.NOW)

    assert [bar.width for bar in picture.bars] == [10, 10, 10]
    assert picture.bars[-1].left + picture.bars[-1].width == WIDTH
    assert picture.top_per_second == pytest.approx(4.4)
    assert picture.bars[0].height == pytest.approx(HEIGHT * 2 / 4.4, abs=0.1)
    assert picture.target_height == pytest.approx(HEIGHT * 4 / 4.4, abs=0.1)


def test_a_chart_of_nothing_has_an_edge_all_the_same() -> None:
    assert chart([], target_per_second=None, now=0.0).top_per_second == 1.0


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3_600, "1 h"),
        (3_661, "1 h 1 min"),
        (86_400 * 11 + 3_600 * 14 + 59, "11 d 14 h"),
        (86_405, "1 d"),
    ],
)
def test_lengths_of_time_are_told_in_two_units(seconds: float, told: str) -> None:
    assert rough_duration(seconds) == told


@pytest.mark.parametrize(
    ("per_second", "told"), [(1_000.0, "1000 per s"), (0.5, "30 per min"), (1 / 3600, "1 per h")]
)
def test_paces_are_told_in_a_handy_unit(per_second: float, told: str) -> None:
    assert pace_text(per_second) == told


def test_thousands_stand_apart() -> None:
    assert thousands(1_234_567) == "1\u202f234\u202f567"
