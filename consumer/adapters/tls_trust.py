"""What a TLS connection to the API trusts, and the certificate that it shows."""

import logging
import os
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import certifi

from consumer.adapters.credentials import CredentialUnreadable

_KEY = b"PRIVATE KEY-----"
_ENCRYPTED = (b"ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED")

TRY_AGAIN_SECONDS = 30.0
"""A changed file may be no use only because its key, in Secrets Manager, changes after it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate in a PEM file; its key is in the same file, in another, or read elsewhere."""

    cert_file: Path
    key_file: Path | None = None
    read_key: Callable[[], str] | None = None

    def read_cert(self) -> bytes:
        """The certificate's file. Raises CredentialUnreadable."""
        found = _read(self.cert_file, "ORDERS_API_CERT_FILE")
        if b"BEGIN CERTIFICATE-----" not in found:
            raise CredentialUnreadable(
                f"ORDERS_API_CERT_FILE, {self.cert_file}, holds no certificate in PEM form."
            )
        return found


class TlsTrust:
    """The context of connections to the API; made again when one of its files changed.

    It trusts the system's authorities and certifi's, or, given `ca_file`, only those in that PEM
    file; with `also_public`, both. Certificate and host name are always verified.
    """

    def __init__(
        self,
        *,
        ca_file: Path | None = None,
        client_cert: ClientCertificate | None = None,
        also_public: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._ca_file = ca_file
        self._client_cert = client_cert
        self._public = ca_file is None or also_public
        self._lock = Lock()
        self._made: ssl.SSLContext | None = None
        self._made_from: object = None
        self._failed_from: object = None
        self._try_at = 0.0

    def context(self) -> ssl.SSLContext:
        """The context for the next connection; may read files, and Secrets Manager.

        While a changed file is no use, the last context that was stays, and the file is tried
        again every TRY_AGAIN_SECONDS. Raises OSError or CredentialUnreadable where there never was
        a context.
        """
        with self._lock:
            files = self._files()
            if self._made is not None and not self._is_due(files):
                return self._made
            try:
                self._made = self._make()
            except (OSError, CredentialUnreadable) as error:
                if self._made is None:
                    raise
                self._failed_from = files
                self._try_at = self._clock() + TRY_AGAIN_SECONDS
                log.warning("the certificate in use stays, as the changed one is no use: %s", error)
                return self._made
            self._made_from, self._failed_from = files, None
            return self._made

    def _is_due(self, files: object) -> bool:
        if files == self._failed_from:
            return self._clock() >= self._try_at
        return files != self._made_from

    def _make(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._ca_file)
        if self._public:
            context.load_default_certs()
            context.load_verify_locations(certifi.where())
        context.options |= ssl.OP_NO_RENEGOTIATION
        if self._client_cert is not None:
            _show(context, self._client_cert)
        return context

    def _files(self) -> object:
        cert = self._client_cert
        of_cert = () if cert is None else (cert.cert_file, cert.key_file)
        return tuple(_version(path) for path in (self._ca_file, *of_cert) if path is not None)


def _show(context: ssl.SSLContext, cert: ClientCertificate) -> None:
    """Load certificate and key. Raises CredentialUnreadable, which shows nothing of them."""
    certificate = cert.read_cert()
    if cert.read_key is not None:
        key, key_named = cert.read_key().encode(), "ORDERS_API_KEY_SECRET"
    elif cert.key_file is not None:
        key = _read(cert.key_file, "ORDERS_API_KEY_FILE")
        key_named = f"ORDERS_API_KEY_FILE, {cert.key_file},"
    else:
        key, key_named = certificate, f"ORDERS_API_CERT_FILE, {cert.cert_file},"
    if _KEY not in key:
        raise CredentialUnreadable(
            f"{key_named} holds no private key in PEM form; put the certificate's key there, or "
            "set ORDERS_API_KEY_FILE or ORDERS_API_KEY_SECRET."
        )
    if any(mark in key for mark in _ENCRYPTED):
        raise CredentialUnreadable(
            f"{key_named} holds a key with a passphrase; store it without one."
        )
    try:
        with _Memory(certificate) as cert_path, _Memory(key) as key_path:
            context.load_cert_chain(cert_path, key_path, password=bytes)
    except OSError as error:
        reason = getattr(error, "reason", None) or "not readable"
        raise CredentialUnreadable(
            f"{key_named} and the certificate in {cert.cert_file} cannot be used together: "
            f"{str(reason).lower().replace('_', ' ')}."
        ) from error


class _Memory:
    """A file in memory, for OpenSSL, which loads keys from files only; the disk never has it."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._file = -1

    def __enter__(self) -> str:
        self._file = os.memfd_create("pem", os.MFD_CLOEXEC)
        with os.fdopen(os.dup(self._file), "wb") as file:
            file.write(self._text)
        return f"/proc/self/fd/{self._file}"

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialUnreadable(
            f"{setting}, {path}, cannot be read: {error.strerror}."
        ) from error


def _version(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
