"""Signing in by an auth class of one's own: ORDERS_API_AUTH=package.module:factory."""

import base64
import binascii
import importlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPDigestAuth

from consumer.adapters.credentials import CredentialUnreadable, ReadAgain
from consumer.adapters.sign_in import without_secrets

SHORTEST_SECRET_CHARACTERS = 8
"""Header values of an unknown auth that are shorter are no secrets, but versions and flags."""


_LINE = re.compile(r"[\t -~\x80-\xff]*")


class FactoryUnusable(Exception):
    """The factory cannot be imported, or does not give an AuthBase; the message says which."""


def imported_factory(name: str) -> Callable[[], object]:
    """What `package.module:factory` names. Raises FactoryUnusable."""
    module_name, _, attributes = name.partition(":")
    try:
        found: object = importlib.import_module(module_name)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
    except Exception as error:
        kind = type(error).__name__
        detail = f": {error}" if isinstance(error, ImportError | AttributeError) else ""
        raise FactoryUnusable(f"{name} cannot be imported ({kind}{detail})") from error
    if not callable(found):
        raise FactoryUnusable(f"{name} is no function")
    return found


def made_auth(factory: Callable[[], object], name: str) -> AuthBase:
    """The auth that a factory gives. Raises FactoryUnusable; what it says may hold a secret."""
    try:
        auth = factory()
    except Exception as error:
        raise FactoryUnusable(f"{name} raised {type(error).__name__}") from error
    if isinstance(auth, HTTPDigestAuth):
        raise FactoryUnusable(f"{name} gives Digest, which takes two requests for each order")
    if not isinstance(auth, AuthBase):
        raise FactoryUnusable(
            f"{name} gives a {type(auth).__name__}; it must give a requests.auth.AuthBase"
        )
    return auth


class RememberingAuth(AuthBase):
    """Signs one request as another auth does, and remembers what to hide in its answer."""

    def __init__(self, auth: AuthBase) -> None:
        self.auth = auth
        self.secrets: tuple[str, ...] = ()

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Sign the request."""
        before, url = dict(r.headers), r.url or ""
        signed: PreparedRequest = self.auth(r)
        _check_sendable(signed, url)
        values = [v for f, v in signed.headers.items() if before.get(f) != v]
        if signed.url != url:
            query = (signed.url or "").partition("?")[2]
            values += [part.partition("=")[2] for part in query.split("&")]
        self.secrets = tuple(form for value in values for form in _forms(value))
        return signed


class FactorySignIn:
    """A factory of one's own gives the auth, and is called again after a 401 or 403."""

    def __init__(self, factory: Callable[[], object], name: str) -> None:
        """Raises FactoryUnusable."""
        first = [made_auth(factory, name)]

        def make() -> AuthBase:
            if first:
                return first.pop()
            try:
                return made_auth(factory, name)
            except FactoryUnusable as error:
                raise CredentialUnreadable(f"ORDERS_API_AUTH: {error}.") from error

        self._made = ReadAgain(make, source=f"ORDERS_API_AUTH: {name}")

    def auth(self, *, seconds: float) -> AuthBase:
        """What signs the next request."""
        return RememberingAuth(self._made.value(seconds=seconds))

    def refused(self, auth: AuthBase) -> None:
        """The API answered 401 or 403: the factory is called again."""
        if isinstance(auth, RememberingAuth):
            self._made.refused(auth.auth)

    def hide(self, text: str, auth: AuthBase) -> str:
        """The text without what the auth put into the request."""
        return without_secrets(text, auth.secrets) if isinstance(auth, RememberingAuth) else text

    def close(self) -> None:
        """Nothing runs."""


def _check_sendable(signed: PreparedRequest, url: str) -> None:
    """Raises CredentialUnreadable for what the transport would refuse; shows no value."""
    wrong = None
    if urlsplit(signed.url or "")[:2] != urlsplit(url)[:2]:
        wrong = "the request's host"
    body: object = signed.body
    if not isinstance(body, bytes | str | None):
        wrong = "a body that is not bytes"
    headers: Mapping[str, object] = dict(signed.headers)
    for field, value in headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if not isinstance(text, str) or not _LINE.fullmatch(text):
            wrong = "a header's value that cannot be sent"
        else:
            signed.headers[field] = text
    if wrong is not None:
        raise CredentialUnreadable(f"The auth class of ORDERS_API_AUTH sets {wrong}.")


def _forms(value: str) -> list[str]:
    """A header's value, what follows its scheme, and what Basic encodes."""
    _, _, after = value.partition(" ")
    forms = [value, after]
    with suppress(binascii.Error, ValueError):
        pair = base64.b64decode(after, validate=True).decode()
        forms += [pair, pair.partition(":")[2]]
    return [form for form in forms if len(form) >= SHORTEST_SECRET_CHARACTERS]
