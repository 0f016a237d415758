"""What a TLS connection shows, after files or secrets changed in any order."""

from pathlib import Path

from consumer.adapters.credentials import CredentialUnreadable
from consumer.adapters.tls_trust import ClientCertificate, TlsTrust
from tests.e2e.scripted_api import certificate


def test_a_key_in_secrets_manager_may_be_replaced_after_its_certificate(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        certificate(folder)
    cert_file, keys, now = tmp_path / "cert.pem", [old / "key.pem"], [100.0]
    cert_file.write_bytes((old / "certificate.pem").read_bytes())

    def read_key() -> str:
        return keys[-1].read_text()

    shown = ClientCertificate(cert_file, read_key=read_key)
    trust = TlsTrust(client_cert=shown, clock=lambda: now[0])
    first = trust.context()
    cert_file.write_bytes((new / "certificate.pem").read_bytes() + b"\n")
    while_they_differ = trust.context()

    keys.append(new / "key.pem")
    now[0] += 60

    assert while_they_differ is first
    assert trust.context() is not first


def test_a_useless_file_is_not_read_for_each_connection(tmp_path: Path) -> None:
    certificate(tmp_path)
    reads: list[int] = []

    def read_key() -> str:
        reads.append(1)
        if len(reads) > 1:
            raise CredentialUnreadable("It is out of reach.")
        return (tmp_path / "key.pem").read_text()

    cert_file = tmp_path / "certificate.pem"
    trust = TlsTrust(client_cert=ClientCertificate(cert_file, read_key=read_key), clock=lambda: 1.0)
    trust.context()
    cert_file.write_bytes(cert_file.read_bytes() + b"\n")

    for _ in range(50):
        trust.context()

    assert len(reads) == 2
