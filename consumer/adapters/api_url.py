"""The API's URL: what ORDERS_API_URL may be, and the request target of an order."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

PLACEHOLDER = "{order_id}"
_PORTS = {"http": 80, "https": 443}
_URL_CHARACTERS = re.compile(r"[!#-;=?-Z\[\]_a-z~]*")


class ApiUrlUnusable(ValueError):
    """The message says what is wrong with ORDERS_API_URL."""


@dataclass(frozen=True, slots=True)
class ApiUrl:
    """The API's URL, split at the order id.

    `host` is without brackets; `authority` is the Host header. `before` and `after` are the request
    target on either side of the order id, with path and query as they were given.
    """

    secure: bool
    host: str
    port: int
    authority: str
    before: str
    after: str

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

    def target(self, order_id: str) -> str:
        """The request target of an order, its id percent-encoded whole.

        Nothing is normalised afterwards: an id `a/../b` stays one path segment.
        """
        return f"{self.before}{quote(order_id, safe='', errors='surrogatepass')}{self.after}"


def parse_api_url(text: str) -> ApiUrl:
    """Parse an http or https URL with `{order_id}` once, in its path. Raises ApiUrlUnusable."""
    before, *rest = text.split(PLACEHOLDER)
    if len(rest) != 1:
        raise ApiUrlUnusable(f"it must contain {PLACEHOLDER} exactly once")
    if not _URL_CHARACTERS.fullmatch(before + rest[0].replace("%", "")):
        raise ApiUrlUnusable(
            "it may contain visible ASCII only; percent-encode the rest (a host: punycode)"
        )
    try:
        parts = urlsplit(before)
        port = parts.port
    except ValueError as error:
        raise ApiUrlUnusable(f"it cannot be read: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ApiUrlUnusable("it must start with http:// or https:// and a host")
    if parts.username is not None:
        raise ApiUrlUnusable("it must not hold a user or password; set ORDERS_API_TOKEN instead")
    if "#" in before + rest[0]:
        raise ApiUrlUnusable("it must not hold a fragment (#)")
    if not parts.path.startswith("/") or "?" in before:
        raise ApiUrlUnusable(f"{PLACEHOLDER} must stand in its path")
    return ApiUrl(
        secure=parts.scheme == "https",
        host=parts.hostname,
        port=_PORTS[parts.scheme] if port is None else port,
        authority=parts.netloc,
        before=before[before.index(parts.netloc) + len(parts.netloc) :],
        after=rest[0],
    )
