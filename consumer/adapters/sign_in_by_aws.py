"""Signing in with AWS credentials: Signature Version 4, by botocore's signer."""

from collections.abc import Callable
from math import inf
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials, RefreshableCredentials
from botocore.session import Session
from requests import PreparedRequest
from requests.auth import AuthBase

from consumer.adapters.credentials import CredentialUnreadable
from consumer.adapters.kept_fresh import Fetched

LOOK_AGAIN_SECONDS = 60.0
"""How often the credentials are looked at; botocore renews those of a role 15 minutes ahead."""


class AwsAuth(AuthBase):
    """Signs with one set of AWS credentials."""

    def __init__(self, credentials: ReadOnlyCredentials, *, service: str, region: str) -> None:
        self.secrets = tuple(text for text in (credentials.secret_key, credentials.token) if text)
        self._credentials = credentials
        self._service = service
        self._region = region

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Sign the request: method, path, query, every header and the body."""
        url = r.url or ""
        if "Host" not in r.headers:
            r.headers["Host"] = urlsplit(url).netloc
        request = AWSRequest(method=r.method, url=url, data=r.body, headers=dict(r.headers))
        SigV4Auth(self._credentials, self._service, self._region).add_auth(request)
        for field, value in request.headers.items():
            r.headers[field] = value
        return r


def aws_auth_fetcher(
    *, service: str, region: str, new_session: Callable[[], Session] = Session
) -> Callable[[], Fetched[AwsAuth]]:
    """What looks up AWS credentials as botocore finds them; it raises CredentialUnreadable.

    Those that expire stay with their session, which renews them; others are looked up anew, so
    that a changed file counts.
    """
    sessions: list[Session] = []

    def fetch() -> Fetched[AwsAuth]:
        session = sessions.pop() if sessions else new_session()
        try:
            found = session.get_credentials()
            frozen = None if found is None else found.get_frozen_credentials()
        except Exception as error:  # of a program, a file or an address that the settings name, too
            raise CredentialUnreadable(
                "The AWS credentials to sign with (ORDERS_API_AUTH=sigv4) cannot be had: "
                f"{type(error).__name__}."
            ) from error
        if frozen is None:
            raise CredentialUnreadable(
                "There are no AWS credentials to sign with (ORDERS_API_AUTH=sigv4); give the "
                "task a role, or set AWS_ACCESS_KEY_ID and its companions."
            )
        if isinstance(found, RefreshableCredentials):
            sessions.append(session)
        auth = AwsAuth(frozen, service=service, region=region)
        return Fetched(auth, renew_seconds=LOOK_AGAIN_SECONDS, valid_seconds=inf)

    return fetch
