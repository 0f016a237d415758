"""Does a start keep its distance from the request before it, whatever that one did?"""

from consumer.delivery.actions import Send
from consumer.delivery.entries import Entry, StreamPosition
from consumer.delivery.schedule import Schedule, Verdict
from consumer.delivery.starts import UNSENT_SECONDS
from consumer.delivery.turn import Turn

NOW = 1_000_000.0
INTERVAL = 0.2


def turn(start: float) -> Send:
    order = Entry(StreamPosition("7", 0), None, 0, 1, 1)
    return Send(order, Turn(start, epoch=0, generation=0, interval=INTERVAL, is_probe=False))


def test_a_request_that_hung_until_another_was_started_does_not_speak_for_that_one() -> None:
    turns, hanging, next_one, after_it = Schedule(), turn(NOW), turn(NOW + 0.5), turn(NOW + 0.7)
    assert turns.start(hanging, NOW) is Verdict.GO
    assert turns.start(next_one, NOW + INTERVAL + UNSENT_SECONDS + 0.1) is Verdict.GO

    turns.sent(hanging, 0.6, 0.0)
    before = turns.start(after_it, NOW + 0.8)
    turns.sent(next_one, 0.0, 0.001)

    assert before != Verdict.GO
    assert turns.start(after_it, NOW + 0.8) is Verdict.GO


def test_a_start_in_a_file_that_was_sent_in_the_future_holds_nobody_up_for_long() -> None:
    turns, odd, later = Schedule(), turn(NOW), turn(NOW + INTERVAL)
    assert turns.start(odd, NOW) is Verdict.GO

    turns.sent(odd, 0.0, 3_600.0)

    assert turns.start(later, NOW + INTERVAL + UNSENT_SECONDS) is Verdict.GO
