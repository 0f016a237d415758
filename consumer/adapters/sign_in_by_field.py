"""Signing in by a header of the API's choice, or by user and password."""

import base64
from collections.abc import Callable

from consumer.adapters.sign_in import SecretAuth


def header_auth(field: str) -> Callable[[str], SecretAuth]:
    """Sends the credential as the value of this header field."""

    def way(value: str) -> SecretAuth:
        # `Token abc` as a value: the API may show what follows the scheme.
        _, _, after_scheme = value.rpartition(" ")
        return SecretAuth(value, field, value, secrets=(value, after_scheme))

    return way


def basic_auth(user_and_password: str) -> SecretAuth:
    """Sends `user:password` as `Authorization: Basic` (RFC 7617)."""
    encoded = base64.b64encode(user_and_password.encode()).decode()
    password = user_and_password.partition(":")[2]
    secrets = (encoded, user_and_password, password)
    return SecretAuth(user_and_password, "Authorization", f"Basic {encoded}", secrets=secrets)
