"""What may ORDERS_API_URL be?"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from consumer.adapters.request_target import PLACEHOLDERS, RequestTarget

_PORTS = {"http": 80, "https": 443}
_PLACEHOLDER = re.compile(r"\{[A-Za-z_]*\}")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII | re.IGNORECASE)
_NAME_CHARACTERS = 253
_URL_CHARACTERS = re.compile(r"[!#-;=?-Z\[\]_a-z~]*")


class ApiUrlUnusable(ValueError):
    """The message says what is wrong with ORDERS_API_URL."""


@dataclass(frozen=True, slots=True)
class ApiUrl:
    """The API's URL.

    `host` is without brackets; `authority` is the Host header. `target` has path and query as they
    were given.
    """

    secure: bool
    host: str
    port: int
    authority: str
    target: RequestTarget

    @property
    def origin(self) -> str:
        """What every URL of this API starts with: scheme and authority."""
        return f"{'https' if self.secure else 'http'}://{self.authority}"

    @property
    def is_on_this_machine(self) -> bool:
        """Is the host a loopback address?"""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_api_url(text: str) -> ApiUrl:
    """Parse an http or https URL, whose path may hold placeholders. Raises ApiUrlUnusable."""
    _check_characters(text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ApiUrlUnusable(f"it cannot be read: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ApiUrlUnusable("it must start with http:// or https:// and a host")
    if port == 0:
        raise ApiUrlUnusable("nothing can listen on port 0; name the API's own")
    if parts.username is not None:
        raise ApiUrlUnusable("it must not hold a user or password; set ORDERS_API_TOKEN instead")
    if "#" in text:
        raise ApiUrlUnusable("it must not hold a fragment (#)")
    for placeholder in PLACEHOLDERS:
        if placeholder in text and placeholder not in parts.path:
            raise ApiUrlUnusable(f"{placeholder} must stand in its path")
    if not _is_a_name(parts.hostname):
        raise ApiUrlUnusable(f"{parts.hostname[:80]} is no name or address of a host")
    rest = text.partition("//")[2][len(parts.netloc) :]
    return ApiUrl(
        secure=parts.scheme == "https",
        host=parts.hostname,
        port=_PORTS[parts.scheme] if port is None else port,
        authority=parts.netloc,
        target=RequestTarget(rest if rest.startswith("/") else f"/{rest}"),
    )


def _is_a_name(host: str) -> bool:
    """An IP address, or labels of at most 63 characters (RFC 1035, section 2.3.4)."""
    if ":" in host:  # within brackets, which urlsplit has checked
        return True
    return len(host) <= _NAME_CHARACTERS and all(map(_LABEL.fullmatch, host.rstrip(".").split(".")))


def _check_characters(text: str) -> None:
    filled = text
    for placeholder in PLACEHOLDERS:
        if text.count(placeholder) > 1:
            raise ApiUrlUnusable(f"it may contain {placeholder} only once")
        filled = filled.replace(placeholder, "0")
    unknown = _PLACEHOLDER.search(filled)
    if unknown:
        known = ", ".join(PLACEHOLDERS)
        raise ApiUrlUnusable(f"{unknown[0]} is no placeholder; there are {known}")
    if not _URL_CHARACTERS.fullmatch(filled.replace("%", "")):
        raise ApiUrlUnusable(
            "it may contain visible ASCII only; percent-encode the rest (a host: punycode)"
        )
