"""The TLS settings of the API: private authorities, and a client certificate."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from consumer.adapters.api_url import parse_api_url
from consumer.adapters.credentials import CredentialUnreadable
from consumer.adapters.tls_trust import ClientCertificate, TlsTrust


@dataclass(frozen=True, slots=True)
class TlsChoice:
    """ORDERS_API_CERT_FILE, _KEY_FILE, _KEY_SECRET and _CA_FILE."""

    cert_file: Path | None = None
    key_file: Path | None = None
    key_secret: str | None = None
    ca_file: Path | None = None


def client_certificate(choice: TlsChoice) -> ClientCertificate | None:
    """The client certificate that the settings name; nothing is read yet."""
    if choice.cert_file is None:
        return None
    if choice.key_secret is None:
        return ClientCertificate(choice.cert_file, key_file=choice.key_file)
    from consumer.adapters.credential_sources import (  # noqa: PLC0415 - boto3 takes its time
        secret_reader,
    )

    source = f"The secret {choice.key_secret} (ORDERS_API_KEY_SECRET)"
    return ClientCertificate(
        choice.cert_file, read_key=secret_reader(choice.key_secret, source=source)
    )


def check_tls(choice: TlsChoice, api_url: str) -> None:
    """Raises ValueError, whose message is a sentence without its full stop.

    A key in Secrets Manager is not read: AWS may be out of reach just now.
    """
    if not parse_api_url(api_url).secure:
        raise ValueError(
            "ORDERS_API_CERT_FILE and ORDERS_API_CA_FILE are for TLS; ORDERS_API_URL needs https"
        )
    key_settings = [
        name
        for name, value in (
            ("ORDERS_API_KEY_FILE", choice.key_file),
            ("ORDERS_API_KEY_SECRET", choice.key_secret),
        )
        if value
    ]
    if len(key_settings) > 1:
        raise ValueError(f"{' and '.join(key_settings)} are both set; keep one of them")
    if key_settings and choice.cert_file is None:
        raise ValueError(f"{key_settings[0]} is set without its certificate, ORDERS_API_CERT_FILE")
    if choice.ca_file is not None:
        _check_authorities(choice.ca_file)
    certificate = client_certificate(choice)
    if certificate is None:
        return
    try:
        if certificate.read_key is None:
            TlsTrust(client_cert=certificate).context()
        else:
            certificate.read_cert()
    except CredentialUnreadable as error:
        raise ValueError(str(error).rstrip(".")) from error


def _check_authorities(ca_file: Path) -> None:
    try:
        ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise ValueError(
            f"ORDERS_API_CA_FILE, {ca_file}, holds no certificate in PEM form"
        ) from error
    except OSError as error:
        raise ValueError(
            f"ORDERS_API_CA_FILE, {ca_file}, cannot be read: {error.strerror}"
        ) from error
