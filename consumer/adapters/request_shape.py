"""The request for an order: method, target, header fields and body."""

from requests import PreparedRequest

from consumer.adapters.api_url import ApiUrl
from consumer.adapters.request_headers import RequestHeaders
from consumer.delivery.attempts import OrderRequest


class RequestShape:
    """How an order becomes a request, before it is signed.

    Only what differs from order to order is set for each; nothing is normalised, as
    `Session.prepare_request` would: the request target is sent as it is here.
    """

    def __init__(self, url: ApiUrl) -> None:
        self._url = url
        self._headers = RequestHeaders(
            {
                "Host": url.authority,
                "User-Agent": "paced-orders",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Content-Type": "application/json",
            }
        )

    def prepared(self, order: OrderRequest) -> PreparedRequest:
        """The request that is sent for an order, but for its signature."""
        headers = self._headers.copy()
        headers["Idempotency-Key"] = order.idempotency_key
        headers["Content-Length"] = str(len(order.body))
        request = PreparedRequest()
        request.method = "PUT"
        request.url = f"{self._url.origin}{self._url.target(order.order_id)}"
        request.headers = headers
        request.body = order.body
        return request
