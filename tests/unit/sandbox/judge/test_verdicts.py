import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest

from orders.rate import parse_rate
from orders.upload import UploadId
from sandbox.judge.completeness import nothing_is_lost, repeats_are_bounded
from sandbox.judge.observations import Numbers, Observed, Request, expected_orders, requests_of_log
from sandbox.judge.outage import Outage, outage_costs_time_only
from sandbox.judge.sequence import TakeOver, old_owner_stops, order_is_kept
from sandbox.judge.spacing import pace_is_kept
from sandbox.judge.verdict import PromiseVerdict, some

UPLOAD = UploadId("0123456789abcdef0123")
LINES = {n: json.dumps({"order_id": f"A-{n}"}).encode() for n in range(1, 11)}
ORDERS = expected_orders(UPLOAD, LINES)
DONE = Numbers(
    lines_read=12,
    blank=1,
    invalid=1,
    enqueued=10,
    accepted=10,
    refused=0,
    cancelled=0,
    missing=0,
    waiting=0,
)
ONE_A_SECOND = [(0.0, parse_rate("1/s"))]


def sent(line: int, at: float, status: int = 200) -> Request:
    order = ORDERS[line - 1]
    return Request(at, "PUT", order.order_id, status, order.idempotency_key, order.body_sha256)


def seen(requests: Sequence[Request], *polls: Numbers) -> Observed:
    return Observed(ORDERS, sorted(requests, key=lambda r: r.t), polls or (DONE,))


ALL = [sent(line, float(line)) for line in range(1, 11)]


def all_verdicts(observed: Observed) -> list[PromiseVerdict]:
    return [
        nothing_is_lost(observed),
        repeats_are_bounded(observed),
        pace_is_kept(observed, rates=ONE_A_SECOND, busy=[(0.0, 99.0)]),
        order_is_kept(observed),
        outage_costs_time_only(observed, outages=[]),
        old_owner_stops(observed, take_overs=[]),
    ]


def broken_promises(observed: Observed) -> list[int]:
    return [verdict.promise for verdict in all_verdicts(observed) if not verdict.is_kept]


def test_a_faithful_sender_keeps_every_promise() -> None:
    assert broken_promises(seen(ALL)) == []


def test_the_promises_are_numbered_and_named() -> None:
    verdicts = all_verdicts(seen(ALL))

    assert [v.promise for v in verdicts] == [1, 2, 3, 4, 5, 6]
    assert verdicts[0].name == "Nothing is lost"


def test_an_order_that_never_arrived_is_lost() -> None:
    assert 1 in broken_promises(seen([r for r in ALL if r.order_id != "A-4"]))


def test_an_order_refused_by_the_api_and_known_as_refused_is_not_lost() -> None:
    requests = [r if r.order_id != "A-4" else replace(r, status=422) for r in ALL]

    verdict = nothing_is_lost(seen(requests, replace(DONE, accepted=9, refused=1)))

    assert verdict.is_kept


def test_waiting_orders_are_not_lost_yet() -> None:
    poll = replace(DONE, accepted=5, waiting=5)

    assert nothing_is_lost(seen(ALL[:6], poll)).is_kept


def test_numbers_that_do_not_add_up_at_one_look_break_promise_one() -> None:
    verdict = nothing_is_lost(seen(ALL, replace(DONE, waiting=1), DONE))

    assert "do not add up" in verdict.breaches[0]


def test_a_missing_order_breaks_promise_one_even_if_it_was_counted() -> None:
    poll = replace(DONE, accepted=9, missing=1)

    assert not nothing_is_lost(seen(ALL[:-1], poll)).is_kept


def test_another_body_breaks_promise_one() -> None:
    other = replace(ALL[3], body_sha256=sha256(b"{}").hexdigest())

    assert broken_promises(seen([*ALL[:3], other, *ALL[4:]])) == [1]


def test_a_ledger_that_claims_more_than_the_api_took_breaks_promise_one() -> None:
    verdict = nothing_is_lost(seen(ALL[:8], replace(DONE, accepted=9, waiting=1)))

    assert not verdict.is_kept


def test_an_order_sent_twice_is_a_repeat() -> None:
    assert 2 in broken_promises(seen([*ALL, sent(10, 11.0)]))


def test_a_kill_may_repeat_what_was_in_flight() -> None:
    observed = seen([*ALL, sent(10, 11.0)])

    assert repeats_are_bounded(observed, kills=1).is_kept
    assert not repeats_are_bounded(seen([*ALL, sent(9, 11), sent(10, 12)]), kills=1).is_kept


def test_a_retry_after_an_answer_that_took_nothing_is_no_repeat() -> None:
    requests = [sent(1, 0.0, status=503), *ALL]

    assert repeats_are_bounded(seen(requests)).is_kept


def test_a_repeat_under_another_key_breaks_promise_two_whatever_was_killed() -> None:
    other = replace(sent(10, 11.0), idempotency_key="new")

    assert not repeats_are_bounded(seen([*ALL, other]), kills=5).is_kept


@pytest.mark.parametrize(("gap", "kept"), [(0.989, False), (0.991, True)])
def test_a_gap_below_99_percent_of_the_interval_breaks_promise_three(
    gap: float, kept: bool
) -> None:
    requests = [sent(1, 10.0), sent(2, 10.0 + gap)]

    assert pace_is_kept(seen(requests), rates=ONE_A_SECOND).is_kept is kept


def test_a_faster_pace_allows_its_smaller_gaps_from_its_moment_on() -> None:
    rates = [(0.0, parse_rate("1/s")), (5.0, parse_rate("4/s"))]

    assert pace_is_kept(seen([sent(1, 5.0), sent(2, 5.25)]), rates=rates).is_kept
    assert not pace_is_kept(seen([sent(1, 3.0), sent(2, 3.25)]), rates=rates).is_kept


def test_a_slower_pace_is_seen_within_a_second() -> None:
    rates = [(0.0, parse_rate("4/s")), (5.0, parse_rate("1/s"))]

    assert pace_is_kept(seen([sent(1, 5.5), sent(2, 5.75)]), rates=rates).is_kept
    assert not pace_is_kept(seen([sent(1, 6.5), sent(2, 6.75)]), rates=rates).is_kept


def test_wasted_turns_break_promise_three() -> None:
    requests = [sent(1, 1.0), sent(2, 2.0), sent(3, 5.0)]

    verdict = pace_is_kept(seen(requests), rates=ONE_A_SECOND, busy=[(0.0, 9.0)])

    assert verdict.breaches == ("only 50.0% of the turns were used",)


def test_above_50_a_second_crowds_are_judged_not_gaps() -> None:
    def crowd(count: int) -> Observed:
        return seen([sent(1 + n % 10, 10.0 + n * 0.004) for n in range(count)])

    rates = [(0.0, parse_rate("100/s"))]

    assert pace_is_kept(crowd(11), rates=rates).is_kept
    assert not pace_is_kept(crowd(12), rates=rates).is_kept


def test_a_pace_of_none_allows_everything() -> None:
    requests = [sent(1 + n % 10, 10.0) for n in range(500)]

    assert pace_is_kept(seen(requests), rates=[(0.0, parse_rate("none"))]).is_kept


def test_another_order_than_the_file_s_breaks_promise_four() -> None:
    requests = [sent(2, 1.0), sent(1, 2.0), *ALL[2:]]

    assert broken_promises(seen(requests)) == [4]


def test_with_several_lanes_only_orders_of_one_id_are_judged() -> None:
    requests = [sent(2, 1.0), sent(1, 2.0), *ALL[2:]]

    assert order_is_kept(seen(requests), whole_file=False).is_kept


def test_a_repeat_after_a_kill_does_not_break_the_order() -> None:
    requests = [sent(1, 1.0), sent(2, 2.0), sent(2, 8.0), sent(3, 9.0)]

    assert order_is_kept(seen(requests)).is_kept


def test_an_order_sent_before_the_one_with_its_id_was_done_breaks_promise_four() -> None:
    orders = expected_orders(UPLOAD, {1: b'{"order_id":"X","n":1}', 2: b'{"order_id":"X","n":2}'})
    first, second = orders

    def request(order: int, at: float, status: int) -> Request:
        it = orders[order]
        return Request(at, "PUT", it.order_id, status, it.idempotency_key, it.body_sha256)

    kept = Observed(
        (first, second), [request(0, 1, 503), request(0, 2, 200), request(1, 3, 200)], [DONE]
    )
    broken = Observed(
        (first, second), [request(0, 1, 503), request(1, 2, 200), request(0, 3, 200)], [DONE]
    )

    assert order_is_kept(kept, whole_file=False).is_kept
    assert not order_is_kept(broken, whole_file=False).is_kept


def test_an_outage_with_single_probes_and_a_quick_recovery_is_fine() -> None:
    requests = [sent(1, 1.0), *(sent(2, at, status=503) for at in (2.0, 3.0, 5.0)), sent(2, 9.0)]
    poll = replace(DONE, accepted=2, waiting=8)

    verdict = outage_costs_time_only(seen(requests, poll), outages=[Outage(2.0, 6.0)])

    assert verdict.is_kept


def test_hammering_a_dead_api_breaks_promise_five() -> None:
    requests = [*(sent(1, 2.0 + n / 4, status=503) for n in range(16)), sent(1, 6.5)]

    verdict = outage_costs_time_only(
        seen(requests, replace(DONE, accepted=1, waiting=9)), outages=[Outage(2.0, 6.0)]
    )

    assert "16 requests during an outage" in verdict.breaches[0]


def test_a_late_or_absent_recovery_breaks_promise_five() -> None:
    poll = replace(DONE, accepted=1, waiting=9)
    late = outage_costs_time_only(seen([sent(1, 13.0)], poll), outages=[Outage(2.0, 6.0)])
    never = outage_costs_time_only(seen([sent(1, 1.0)], poll), outages=[Outage(2.0, 6.0)])

    assert "7.0 s after" in late.breaches[0]
    assert "nothing was accepted" in never.breaches[0]


def test_a_good_order_that_died_breaks_promise_five() -> None:
    requests = [r if r.order_id != "A-4" else replace(r, status=503) for r in ALL]
    observed = seen(requests, replace(DONE, accepted=9, refused=1))

    assert not outage_costs_time_only(observed, outages=[]).is_kept
    assert outage_costs_time_only(observed, outages=[], refused_for_good={"A-4"}).is_kept


def test_an_old_owner_may_finish_its_current_turn_and_no_more() -> None:
    one = seen([*ALL, sent(9, 12.0)])
    two = seen([*ALL, sent(9, 12.0), sent(10, 13.0)])

    assert old_owner_stops(one, take_overs=[TakeOver(at=11.0, gone_at=11.0)]).is_kept
    assert not old_owner_stops(two, take_overs=[TakeOver(at=11.0, gone_at=11.0)]).is_kept


def test_what_comes_before_the_old_owner_has_ended_is_its_own() -> None:
    quick = TakeOver(at=8.5, gone_at=9.5)
    slow = TakeOver(at=8.5, gone_at=10.5)

    assert old_owner_stops(seen(ALL), take_overs=[quick]).is_kept
    assert not old_owner_stops(seen(ALL), take_overs=[slow]).is_kept


def test_an_old_owner_that_lives_on_breaks_promise_six() -> None:
    verdict = old_owner_stops(seen(ALL), take_overs=[TakeOver(at=11.0, gone_at=None)])

    assert not verdict.is_kept


def test_the_log_of_the_api_is_read_in_order_of_arrival() -> None:
    entries = [
        {"t": 2.0, "method": "PUT", "path": "/orders/b", "order_id": "b", "status": 200}
        | {"idempotency_key": "k", "body_sha256": "h"},
        {"t": 1.0, "method": "PUT", "path": "/", "order_id": None, "status": 404}
        | {"idempotency_key": None, "body_sha256": "h"},
    ]

    requests = requests_of_log(entries)

    assert [(r.t, r.order_id, r.is_accepted) for r in requests] == [
        (1.0, "", False),
        (2.0, "b", True),
    ]


def test_long_lists_are_cut_in_a_sentence() -> None:
    assert some([1, 2, 3]) == "1, 2, 3"
    assert some(range(7)) == "0, 1, 2, 3, 4 and 2 more"
