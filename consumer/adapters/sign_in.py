"""Signing in: which requests.auth class signs the next request to the API."""

from collections.abc import Callable
from typing import Protocol

from requests import PreparedRequest
from requests.auth import AuthBase

from consumer.adapters.credentials import Credential, CredentialUnreadable, FixedCredential
from consumer.adapters.hiding import without_secrets


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

    def close(self) -> None:
        """Nothing is signed any more."""


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
    except Exception as error:  # noqa: BLE001 - whatever an auth raises
        kind = f"{type(auth).__name__} failed with {type(error).__name__}"
        # Without the cause: its text would come with the traceback.
        raise CredentialUnreadable(f"The request could not be signed: {kind}.") from None
    return request


class SecretAuth(AuthBase):
    """Sends a credential in one header field."""

    def __init__(
        self, credential: str, field: str, value: str, *, secrets: tuple[str, ...]
    ) -> None:
        """`secrets` are the forms in which the credential could come back in an answer."""
        self.credential = credential
        self.secrets = secrets
        self._field = field
        self._value = value

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Sign the request."""
        r.headers[self._field] = self._value
        return r


class NoAuth(AuthBase):
    """Signs nothing: the API asks for no credential."""

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Leave the request as it is."""
        return r


def bearer_auth(token: str) -> SecretAuth:
    """Sends a token as `Authorization: Bearer`."""
    return SecretAuth(token, "Authorization", f"Bearer {token}", secrets=(token,))


_NO_AUTH = NoAuth()


class CredentialSignIn:
    """A credential of the environment, a file or AWS; without one, nothing is signed."""

    def __init__(self, credential: Credential, way: Callable[[str], SecretAuth]) -> None:
        """`way` makes what sends the credential."""
        self._credential = credential
        self._way = way
        self._auth: SecretAuth | None = None

    def auth(self, *, seconds: float) -> AuthBase:
        """What sends the present credential. Raises CredentialUnreadable."""
        credential = self._credential.token(seconds=seconds)
        if credential is None:
            return _NO_AUTH
        auth = self._auth
        if auth is None or auth.credential != credential:
            auth = self._auth = self._way(credential)
        return auth

    def refused(self, auth: AuthBase) -> None:
        """The API answered 401 or 403: the credential is read again, unless it was replaced."""
        if isinstance(auth, SecretAuth):
            self._credential.refused(auth.credential)

    def hide(self, text: str, auth: AuthBase) -> str:
        """The text without the credential."""
        return without_secrets(text, auth.secrets) if isinstance(auth, SecretAuth) else text

    def close(self) -> None:
        """Nothing runs."""


class BearerSignIn(CredentialSignIn):
    """A credential that is sent as `Authorization: Bearer`, as it is by default."""

    def __init__(self, credential: Credential | None = None) -> None:
        super().__init__(FixedCredential() if credential is None else credential, bearer_auth)
