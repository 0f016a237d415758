from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.answer_head import Head
from consumer.adapters.http_answer import ANSWER_BYTES, AnswerReader, Broken, HttpAnswer

SOUND = (
    b"HTTP/1.1 103 Early Hints\r\nRetry-After: 1\r\n\r\n"
    b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 5\r\nSet-Cookie: a=b\r\nRETRY-AFTER: 7\r\n"
    b"Transfer-Encoding: chunked\r\nKeep-Alive: timeout=5, max=100\r\n\r\n"
    b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nRetry-After: 9\r\n\r\n"
)


def read(*pieces: bytes) -> HttpAnswer | Broken:
    reader = AnswerReader()
    for piece in pieces:
        result = reader.feed(piece) if piece else None
        if result is not None:
            return result
    return reader.ended()


@given(st.lists(st.integers(0, len(SOUND)), max_size=8))
def test_an_answer_reads_the_same_in_whatever_pieces_it_arrives(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(SOUND)]

    answer = read(*(SOUND[a:b] for a, b in pairwise(places)))

    fields = {
        "retry-after": ["5", "7"],
        "transfer-encoding": ["chunked"],
        "keep-alive": ["timeout=5, max=100"],
    }
    assert answer == HttpAnswer(Head(429, fields), b"abcde", idle_seconds=5.0)


@given(st.integers(0, len(SOUND) - 1))
def test_an_answer_cut_off_anywhere_is_never_taken_for_whole(length: int) -> None:
    assert isinstance(read(SOUND[:length]), Broken)


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5))
def test_whatever_arrives_the_reader_says_something(pieces: list[bytes]) -> None:
    assert isinstance(read(*pieces), HttpAnswer | Broken)


@given(st.binary(max_size=20), st.integers(0, len(SOUND)), st.integers(0, 20))
def test_a_damaged_answer_never_raises(noise: bytes, place: int, lost: int) -> None:
    damaged = SOUND[:place] + noise + SOUND[place + lost :]

    assert isinstance(read(damaged), HttpAnswer | Broken)


def test_a_reader_never_takes_more_than_its_bound() -> None:
    reader = AnswerReader()
    fed = 0
    piece = b"HTTP/1.1 100 Continue\r\n\r\n"

    while reader.feed(piece) is None:
        fed += len(piece)

    assert fed <= ANSWER_BYTES
