from sandbox.api.faults import Fault, FaultBook, FaultKind

HANG = Fault(kind=FaultKind.HANG)
RESET = Fault(kind=FaultKind.RESET)


def test_an_empty_book_has_no_fault() -> None:
    assert FaultBook().take("a", now=0.0) is None


def test_a_fault_without_limits_stays() -> None:
    book = FaultBook()
    book.add(HANG, now=0.0)

    taken = [book.take("a", now=float(moment)) for moment in range(1_000_000, 1_000_003)]

    assert taken == [HANG, HANG, HANG]


def test_the_first_match_wins() -> None:
    book = FaultBook()
    book.add(HANG, now=0.0)
    book.add(RESET, now=0.0)

    assert book.take("a", now=1.0) == HANG


def test_a_fault_for_an_order_lets_the_others_pass() -> None:
    only_b = Fault(kind=FaultKind.HANG, order_id="b")
    book = FaultBook()
    book.add(only_b, now=0.0)
    book.add(RESET, now=0.0)

    assert book.take("a", now=1.0) == RESET
    assert book.take("b", now=1.0) == only_b
    assert book.take(None, now=1.0) == RESET


def test_a_fault_for_some_requests_is_used_up_by_those_it_met() -> None:
    book = FaultBook()
    twice = Fault(kind=FaultKind.RESET, for_requests=2, order_id="b")
    book.add(twice, now=0.0)

    taken = [book.take(order_id, now=1.0) for order_id in ("b", "a", "b", "b")]

    assert taken == [twice, None, twice, None]


def test_a_fault_for_some_seconds_ends_by_itself() -> None:
    book = FaultBook()
    short = Fault(kind=FaultKind.HANG, for_seconds=5.0)
    book.add(short, now=100.0)

    assert book.take("a", now=104.9) == short
    assert book.take("a", now=105.0) is None


def test_of_two_limits_the_first_to_be_reached_ends_it() -> None:
    book = FaultBook()
    book.add(Fault(kind=FaultKind.HANG, for_seconds=5.0, for_requests=1), now=0.0)
    book.add(Fault(kind=FaultKind.RESET, for_seconds=5.0, for_requests=9), now=0.0)

    kinds = [fault and fault.kind for fault in (book.take("a", 1.0), book.take("a", 2.0))]

    assert kinds == [FaultKind.HANG, FaultKind.RESET]
    assert book.take("a", now=5.0) is None


def test_clearing_forgets_every_fault() -> None:
    book = FaultBook()
    book.add(HANG, now=0.0)
    book.add(RESET, now=0.0)

    book.clear()

    assert book.count(now=0.0) == 0
    assert book.take("a", now=0.0) is None
