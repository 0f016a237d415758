"""Signing in by what expires: a token or AWS credentials, renewed in the background."""

from collections.abc import Callable

from requests.auth import AuthBase

from consumer.adapters.hiding import without_secrets
from consumer.adapters.kept_fresh import Fetched, KeptFresh
from consumer.adapters.sign_in import SecretAuth
from consumer.adapters.sign_in_by_aws import AwsAuth

Renewed = SecretAuth | AwsAuth


class RenewedSignIn:
    """An auth that is fetched ahead of its expiry, so that no turn waits for it."""

    def __init__(self, fetch: Callable[[], Fetched[Renewed]], *, source: str) -> None:
        """`source` begins error messages; nothing is fetched before `start`."""
        self._kept = KeptFresh(fetch, source=source)

    def start(self) -> None:
        """Fetch the first one now, and keep it fresh."""
        self._kept.start()

    def close(self) -> None:
        """Fetch no more."""
        self._kept.close()

    def auth(self, *, seconds: float) -> AuthBase:
        """What signs the next request; raises CredentialUnreadable where none is valid."""
        return self._kept.value(seconds=seconds)

    def refused(self, auth: AuthBase) -> None:
        """The API answered 401 or 403: the next one is fetched early."""
        if isinstance(auth, SecretAuth | AwsAuth):
            self._kept.refused(auth)

    def hide(self, text: str, auth: AuthBase) -> str:
        """The text without the token, or the AWS credentials."""
        return (
            without_secrets(text, auth.secrets) if isinstance(auth, SecretAuth | AwsAuth) else text
        )
