"""Signing in by an auth class of one's own: ORDERS_API_AUTH=package.module:factory."""

import importlib
import time
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import TypeVar

from requests.auth import AuthBase, HTTPDigestAuth

from consumer.adapters.bounded_call import TookTooLong, within
from consumer.adapters.credentials import CredentialUnreadable, ReadAgain
from consumer.adapters.hiding import without_secrets
from consumer.adapters.remembering_auth import RememberingAuth

FACTORY_SECONDS = 20.0
"""How long a factory may take at the start, with the import of its module."""
HANGING_AT_MOST = 64
"""So many auths of one process may hang at once; then nothing more is signed until one ends."""

T = TypeVar("T")


class FactoryUnusable(Exception):
    """The factory cannot be imported, or does not give an AuthBase; the message says which."""


def imported_factory(name: str) -> Callable[[], object]:
    """What `package.module:factory` names. Raises FactoryUnusable."""
    module_name, _, attributes = name.partition(":")

    def imported() -> object:
        found: object = importlib.import_module(module_name)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
        return found

    try:
        found = _in_time(imported, name)
    except (Exception, SystemExit) as error:
        if isinstance(error, FactoryUnusable):
            raise
        kind = type(error).__name__
        detail = f": {error}" if isinstance(error, ImportError | AttributeError) else ""
        raise FactoryUnusable(f"{name} cannot be imported ({kind}{detail})") from None
    if not callable(found):
        raise FactoryUnusable(f"{name} is no function")
    return found


def made_auth(
    factory: Callable[[], object], name: str, *, is_bounded_elsewhere: bool = False
) -> AuthBase:
    """The auth that a factory gives. Raises FactoryUnusable, without what it says: a secret?"""
    try:
        auth = factory() if is_bounded_elsewhere else _in_time(factory, name)
    except FactoryUnusable:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a factory raises
        raise FactoryUnusable(f"{name} raised {type(error).__name__}") from None
    if isinstance(auth, HTTPDigestAuth):
        raise FactoryUnusable(f"{name} gives Digest, which takes two requests for each order")
    if not isinstance(auth, AuthBase):
        raise FactoryUnusable(
            f"{name} gives a {type(auth).__name__}; it must give a requests.auth.AuthBase"
        )
    return auth


class FactorySignIn:
    """A factory of one's own gives the auth, and is called again after a 401 or 403."""

    def __init__(self, factory: Callable[[], object], name: str) -> None:
        """Raises FactoryUnusable."""
        first = [made_auth(factory, name)]

        def make() -> AuthBase:
            if first:
                return first.pop()
            try:
                return made_auth(factory, name, is_bounded_elsewhere=True)
            except FactoryUnusable as error:
                raise CredentialUnreadable(f"ORDERS_API_AUTH: {error}.") from None

        self._hanging = BoundedSemaphore(HANGING_AT_MOST)
        self._made = ReadAgain(make, source=f"ORDERS_API_AUTH: {name}")

    def auth(self, *, seconds: float) -> AuthBase:
        """What signs the next request."""
        deadline = time.monotonic() + seconds
        auth = self._made.value(seconds=seconds)
        left_seconds = deadline - time.monotonic()
        return RememberingAuth(auth, seconds=left_seconds, hanging=self._hanging)

    def refused(self, auth: AuthBase) -> None:
        """The API answered 401 or 403: the factory is called again."""
        if isinstance(auth, RememberingAuth):
            self._made.refused(auth.auth)

    def hide(self, text: str, auth: AuthBase) -> str:
        """The text without what the auth put into the request."""
        return without_secrets(text, auth.secrets) if isinstance(auth, RememberingAuth) else text

    def close(self) -> None:
        """Nothing runs."""


def _in_time(call: Callable[[], T], name: str) -> T:
    try:
        return within(FACTORY_SECONDS, call, dispose=lambda _: None)
    except TookTooLong:
        raise FactoryUnusable(f"{name} did not end within {FACTORY_SECONDS:g} s") from None
