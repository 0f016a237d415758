"""The URL that an order is PUT to."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

PLACEHOLDER = "{order_id}"
_PORTS = {"http": 80, "https": 443}
_URL_CHARACTERS = re.compile(r"[!#-;=?-Z\[\]_a-z~]*")


class ApiUrlUnusable(ValueError):
    """A clause says what is wrong with ORDERS_API_URL."""


@dataclass(frozen=True, slots=True)
class ApiUrl:
    """The API's URL, split around the order id.

    `host` is without brackets; `authority` is what the Host header says. `before` and `after` are
    the request target on either side of the order id, with path and query as given.
    """

    secure: bool
    host: str
    port: int
    authority: str
    before: str
    after: str

    def target(self, order_id: str) -> str:
        """The request target of an order, its id percent-encoded whole.

        Nothing is normalised afterwards: an id `a/../b` stays one path segment.
        """
        return f"{self.before}{quote(order_id, safe='', errors='surrogatepass')}{self.after}"


def parse_api_url(text: str) -> ApiUrl:
    """Read a URL that contains `{order_id}` once, in its path.

    Raises:
        ApiUrlUnusable: it does not, or it is not a plain http or https URL.
    """
    before, *rest = text.split(PLACEHOLDER)
    if len(rest) != 1:
        raise ApiUrlUnusable(f"the URL must contain {PLACEHOLDER} exactly once, in its path")
    if not _URL_CHARACTERS.fullmatch(before + rest[0].replace("%", "")):
        raise ApiUrlUnusable(
            "the URL must be visible ASCII; percent-encode the rest (a host: punycode)"
        )
    try:
        parts = urlsplit(before)
        port = parts.port
    except ValueError as error:
        raise ApiUrlUnusable(f"the URL cannot be read: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ApiUrlUnusable("the URL must start with http:// or https:// and a host")
    if parts.username is not None:
        raise ApiUrlUnusable(
            "the URL must not hold a user or password; set ORDERS_API_TOKEN instead"
        )
    if "#" in before + rest[0]:
        raise ApiUrlUnusable("the URL must not hold a fragment (#)")
    if not parts.path.startswith("/") or "?" in before:
        raise ApiUrlUnusable(f"{PLACEHOLDER} must be in the URL's path")
    return ApiUrl(
        secure=parts.scheme == "https",
        host=parts.hostname,
        port=_PORTS[parts.scheme] if port is None else port,
        authority=parts.netloc,
        before=before[before.index(parts.netloc) + len(parts.netloc) :],
        after=rest[0],
    )
