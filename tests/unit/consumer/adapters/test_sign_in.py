from pydantic import SecretStr
from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from consumer.adapters.credentials import READ_AGAIN_SECONDS, FixedCredential, ReadCredential
from consumer.adapters.sign_in import BearerSignIn

SECONDS = 5.0


def signed(sign_in: BearerSignIn) -> PreparedRequest:
    request = PreparedRequest()
    request.headers = CaseInsensitiveDict()
    return sign_in.auth(seconds=SECONDS)(request)


def test_without_a_credential_the_request_goes_out_as_it_is() -> None:
    assert dict(signed(BearerSignIn()).headers) == {}


def test_a_token_is_sent_as_a_bearer() -> None:
    request = signed(BearerSignIn(FixedCredential(SecretStr("t0ken"))))

    assert dict(request.headers) == {"Authorization": "Bearer t0ken"}


def test_only_the_token_that_was_refused_is_replaced() -> None:
    tokens, now = ["one"], [100.0]
    sign_in = BearerSignIn(ReadCredential(lambda: tokens[0], source="It", clock=lambda: now[0]))
    first = sign_in.auth(seconds=SECONDS)
    tokens[0] = "two"
    now[0] += READ_AGAIN_SECONDS
    before = sign_in.auth(seconds=SECONDS)

    sign_in.refused(first)

    assert before is first
    assert signed(sign_in).headers["Authorization"] == "Bearer two"


def test_the_token_is_hidden_wherever_it_stands() -> None:
    sign_in = BearerSignIn(FixedCredential(SecretStr("t0ken")))
    auth = sign_in.auth(seconds=SECONDS)

    assert sign_in.hide("t0ken and t0ken", auth) == "[credential] and [credential]"
