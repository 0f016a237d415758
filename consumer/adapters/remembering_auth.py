"""An auth class that is not ours, bounded, and what to hide of what it signed."""

import base64
import binascii
import re
from contextlib import suppress
from threading import BoundedSemaphore
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from consumer.adapters.bounded_call import TookTooLong, within
from consumer.adapters.credentials import CredentialUnreadable
from consumer.adapters.request_headers import RequestHeaders

SHORTEST_SECRET_CHARACTERS = 8
"""What an unknown auth adds and is shorter is no secret, but a version or a flag."""

_WORD = re.compile(r"[^\s\"'&?=<>,;:/{}\[\]]+")
_LINE = re.compile(r"[\t -~\x80-\xff]*")
_METHOD = re.compile(r"[A-Z]{1,20}", re.ASCII)
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(r"[!-~]+")


class RememberingAuth(AuthBase):
    """Signs one request as another auth does, and remembers what to hide in its answer."""

    def __init__(self, auth: AuthBase, *, seconds: float, hanging: BoundedSemaphore) -> None:
        """`seconds` bounds the other, of which only so many may hang at once."""
        self.auth = auth
        self.secrets: tuple[str, ...] = ()
        self._seconds = seconds
        self._hanging = hanging

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Sign the request."""
        before, url, body = dict(r.headers), r.url or "", r.body
        signed = self._signed(r)
        if signed.body is not body:
            signed.prepare_content_length(signed.body)
        _check_sendable(signed, url)
        values = [v for f, v in signed.headers.items() if before.get(f) != v]
        added = [*_added(signed.url or "", url), *_added(_text(signed.body), _text(body))]
        self.secrets = tuple([form for value in values for form in _forms(value)] + added)
        return signed

    def _signed(self, r: PreparedRequest) -> PreparedRequest:
        """The request as the other leaves it; a thread of its own is what bounds it."""
        late = CredentialUnreadable("The auth class of ORDERS_API_AUTH did not sign in time.")
        if not self._hanging.acquire(timeout=max(0.0, self._seconds)):
            raise late

        def sign() -> PreparedRequest:
            try:
                return self.auth(r)
            finally:
                self._hanging.release()

        try:
            return within(self._seconds, sign, dispose=lambda _: None)
        except TookTooLong:
            raise late from None
        except SystemExit as error:
            raise RuntimeError("it ends the process") from error


def _check_sendable(signed: PreparedRequest, url: str) -> None:
    """Raises CredentialUnreadable for what would be refused, or read otherwise; shows no value."""
    wrong = None
    if urlsplit(signed.url or "")[:2] != urlsplit(url)[:2]:
        wrong = "the request's host"
    if not _METHOD.fullmatch(signed.method or "") or not _TARGET.fullmatch(signed.url or ""):
        wrong = "a method or an address that cannot be sent"
    body: object = signed.body
    if not isinstance(body, bytes | str | None):
        wrong = "a body that is not bytes"
    headers = {}
    for given_name, value in dict(signed.headers).items():
        name, text = _latin(given_name), _latin(value)
        if name is None or not _NAME.fullmatch(name):
            wrong = "a header's name that cannot be sent"
        elif text is None or not _LINE.fullmatch(text):
            wrong = "a header's value that cannot be sent"
        else:
            headers[name] = text
    signed.headers = RequestHeaders(headers)
    length = len(_text(signed.body)) if wrong is None else 0
    if wrong is None and signed.headers.get("Content-Length") != str(length):
        wrong = "another Content-Length than the body has"
    if "Transfer-Encoding" in signed.headers:
        wrong = "Transfer-Encoding"
    if wrong is not None:
        raise CredentialUnreadable(f"The auth class of ORDERS_API_AUTH sets {wrong}.")


def _latin(given: object) -> str | None:
    text = given.decode("latin-1") if isinstance(given, bytes) else given
    return text if isinstance(text, str) else None


def _text(body: bytes | str | None) -> bytes:
    return body if isinstance(body, bytes) else (body or "").encode()


def _added(after: str | bytes, before: str | bytes) -> list[str]:
    """The words of what was put between the beginning and the end that stayed the same."""
    if after == before:
        return []
    new, old = (
        text.decode(errors="replace") if isinstance(text, bytes) else text
        for text in (after, before)
    )
    start = _common(new, old)
    stays = _common(new[start:][::-1], old[start:][::-1])
    # A word that begins or ends as the old text did is taken whole.
    while start and _WORD.fullmatch(new[start - 1]):
        start -= 1
    end = len(new) - stays
    while end < len(new) and _WORD.fullmatch(new[end]):
        end += 1
    words = _WORD.findall(new[start:end])
    return [word for word in words if len(word) >= SHORTEST_SECRET_CHARACTERS]


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _forms(value: str) -> list[str]:
    """A header's value, what follows its scheme, and what Basic encodes."""
    _, _, after = value.partition(" ")
    forms = [value, after]
    with suppress(binascii.Error, ValueError):
        pair = base64.b64decode(after, validate=True).decode()
        forms += [pair, pair.partition(":")[2]]
    return [form for form in forms if len(form) >= SHORTEST_SECRET_CHARACTERS]
