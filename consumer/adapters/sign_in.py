"""Signing in: which requests.auth class signs the next request to the API."""

from typing import Protocol

from requests import PreparedRequest
from requests.auth import AuthBase

from consumer.adapters.credentials import Credential, CredentialUnreadable, FixedCredential

HIDDEN = "[credential]"


class SignIn(Protocol):
    """How requests are signed in to the API; safe for any number of threads at once."""

    def auth(self, *, seconds: float) -> AuthBase:
        """What signs the next request; takes at most `seconds`. Raises CredentialUnreadable.

        The request that it is called with is prepared whole, and is signed as it goes out. One
        request is sent in a turn, so what an auth does about an answer (requests' hooks) is not
        done.
        """

    def refused(self, auth: AuthBase) -> None:
        """The API answered 401 or 403 to what this signed."""

    def hide(self, text: str, auth: AuthBase) -> str:
        """The text without any secret that this auth sent."""


def signed(request: PreparedRequest, auth: AuthBase) -> PreparedRequest:
    """The request as it goes out, signed last, so that a signature covers all of it.

    Raises CredentialUnreadable, also for whatever else an auth raises: its text may hold a secret.
    """
    body = request.body
    try:
        request = auth(request)
        if request.body is not body:
            request.prepare_content_length(request.body)
    except CredentialUnreadable:
        raise
    except Exception as error:
        kind = f"{type(auth).__name__} failed with {type(error).__name__}"
        raise CredentialUnreadable(f"The request could not be signed: {kind}.") from error
    return request


class BearerAuth(AuthBase):
    """Sends a token as `Authorization: Bearer`."""

    def __init__(self, token: str) -> None:
        self.token = token
        self._value = f"Bearer {token}"

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Sign the request."""
        r.headers["Authorization"] = self._value
        return r


class NoAuth(AuthBase):
    """Signs nothing: the API asks for no credential."""

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Leave the request as it is."""
        return r


_NO_AUTH = NoAuth()


class BearerSignIn:
    """A token of the environment, a file or Secrets Manager; without one, nothing is signed."""

    def __init__(self, credential: Credential | None = None) -> None:
        self._credential = FixedCredential() if credential is None else credential
        self._auth: BearerAuth | None = None

    def auth(self, *, seconds: float) -> AuthBase:
        """What sends the credential's present token. Raises CredentialUnreadable."""
        token = self._credential.token(seconds=seconds)
        if token is None:
            return _NO_AUTH
        auth = self._auth
        if auth is None or auth.token != token:
            auth = self._auth = BearerAuth(token)
        return auth

    def refused(self, auth: AuthBase) -> None:
        """The API answered 401 or 403: the token is read again, unless it was replaced."""
        if isinstance(auth, BearerAuth):
            self._credential.refused(auth.token)

    def hide(self, text: str, auth: AuthBase) -> str:
        """The text without the token."""
        return text.replace(auth.token, HIDDEN) if isinstance(auth, BearerAuth) else text
