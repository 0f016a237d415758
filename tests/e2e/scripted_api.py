"""What does an API say, byte by byte, that no honest server would say?"""

import datetime as dt
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LIMIT_SECONDS = 10.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
_LINGER_OFF = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived: its first line, its fields by name in lower case, its body."""

    line: str
    fields: dict[str, str]
    body: bytes


class Peer:
    """One accepted connection, in the hands of a script."""

    def __init__(self, sock: socket.socket, requests: list[Received]) -> None:
        self.sock = sock
        self._requests = requests
        self._buffer = b""

    def hear(self) -> Received | None:
        """Read one request whole; None where the client has closed."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        fields = {
            name.lower(): value.strip() for name, _, value in (r.partition(":") for r in rest)
        }
        length = int(fields.get("content-length", "0"))
        while len(self._buffer) < length:
            if not self._more():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        received = Received(line, fields, body)
        self._requests.append(received)
        return received

    def say(self, *pieces: bytes) -> None:
        """Send the pieces, one after the other."""
        for piece in pieces:
            self.sock.sendall(piece)

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
        self.sock.close()

    def until_client_closes(self) -> None:
        """Say nothing more, and wait."""
        while self._more():
            pass

    def _more(self) -> bool:
        chunk = self.sock.recv(65_536)
        self._buffer += chunk
        return bool(chunk)


Script = Callable[[Peer], None]


@dataclass
class ScriptedApi:
    """A server on 127.0.0.1: the n-th connection plays the n-th script, later ones the last."""

    scripts: Sequence[Script]
    context: ssl.SSLContext | None = None
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    ended: int = 0
    port: int = 0
    _open: list[socket.socket] = field(default_factory=list)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """What ORDERS_API_URL would say."""
        scheme = "http" if self.context is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}/orders/{{order_id}}"

    @contextmanager
    def serving(self) -> Iterator["ScriptedApi"]:
        """Listen until the end of the block; then every connection ends."""
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
            self.port = listener.getsockname()[1]
            accepting = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            accepting.start()
            yield self
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(LIMIT_SECONDS)
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            self._open.append(sock)
            threading.Thread(target=self._play, args=(sock, script), daemon=True).start()

    def _play(self, sock: socket.socket, script: Script) -> None:
        sock.settimeout(LIMIT_SECONDS)
        with suppress(OSError), sock:
            if self.context is None:
                script(Peer(sock, self.requests))
            else:
                with self.context.wrap_socket(sock, server_side=True) as secured:
                    script(Peer(secured, self.requests))
        with self._counting:
            self.ended += 1


def answering(*answers: bytes) -> Script:
    """Answer each request with the next of these, and close after the last."""

    def script(peer: Peer) -> None:
        for answer in answers:
            if not peer.hear():
                return
            peer.say(answer)

    return script


def always(answer: bytes) -> Script:
    """Answer every request with this."""

    def script(peer: Peer) -> None:
        while peer.hear():
            peer.say(answer)

    return script


def then_silent(answer: bytes) -> Script:
    """Answer one request with this, and keep the connection without another word."""

    def script(peer: Peer) -> None:
        if peer.hear():
            peer.say(answer)
            peer.until_client_closes()

    return script


def dripping(answer: bytes, *, pause: threading.Event, pause_seconds: float) -> Script:
    """Answer byte by byte with pauses; an event that is set ends them."""

    def script(peer: Peer) -> None:
        if peer.hear():
            for place in range(len(answer)):
                peer.say(answer[place : place + 1])
                pause.wait(pause_seconds)

    return script


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate: what a server shows, and what a client would have to trust."""

    context: ssl.SSLContext
    ca_file: Path


def certificate(folder: Path, *, host: str = "127.0.0.1", is_expired: bool = False) -> Certificate:
    """Make a certificate for a host (an IP address or a name) and put it into a folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an API of this test")])
    now = dt.datetime.now(dt.UTC)
    ends_at = now + dt.timedelta(days=-1 if is_expired else 1)
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=2))
        .not_valid_after(ends_at)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return Certificate(context, certificate_file)
