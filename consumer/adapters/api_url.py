"""Where does a PUT of an order go?"""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

PLACEHOLDER = "{order_id}"
_PORTS = {"http": 80, "https": 443}
_URL_CHARACTERS = re.compile(r"[!#-;=?-Z\[\]_a-z~]*")


class ApiUrlUnusable(ValueError):
    """A sentence says what is wrong with ORDERS_API_URL."""


@dataclass(frozen=True, slots=True)
class ApiUrl:
    """The API's URL, split around the place of the order id.

    `host` is without brackets; `authority` is what the Host header says. `before` and `after` are
    the request target on either side of the order id, with path and query as they were given.
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
    """Read a URL that contains `{order_id}` once, in its path or query.

    Raises:
        ApiUrlUnusable: it does not, or it is no plain http or https URL.
    """
    before, *rest = text.split(PLACEHOLDER)
    if len(rest) != 1:
        raise ApiUrlUnusable(f"The URL must contain {PLACEHOLDER} exactly once.")
    if not _URL_CHARACTERS.fullmatch(before + rest[0].replace("%", "")):
        raise ApiUrlUnusable(
            "The URL may hold visible ASCII only; percent-encode the rest (a host: punycode)."
        )
    try:
        parts = urlsplit(before)
        port = parts.port
    except ValueError as error:
        raise ApiUrlUnusable(f"The URL cannot be read: {error}.") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ApiUrlUnusable("The URL must start with http:// or https:// and a host.")
    if parts.username is not None:
        raise ApiUrlUnusable(
            "The URL must not hold a user or password; the credential has settings of its own."
        )
    if "#" in before + rest[0]:
        raise ApiUrlUnusable("The URL must not hold a fragment (#).")
    if not parts.path.startswith("/"):
        raise ApiUrlUnusable(f"{PLACEHOLDER} must stand in the URL's path or query.")
    return ApiUrl(
        secure=parts.scheme == "https",
        host=parts.hostname,
        port=_PORTS[parts.scheme] if port is None else port,
        authority=parts.netloc,
        before=before[before.index(parts.netloc) + len(parts.netloc) :],
        after=rest[0],
    )
