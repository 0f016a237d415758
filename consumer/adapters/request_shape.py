"""The request for an order: method, target, header fields and body."""

from requests import PreparedRequest

from consumer.adapters.api_shape import USUAL_SHAPE, ApiShape
from consumer.adapters.api_url import ApiUrl
from consumer.adapters.batch_body import batch_body
from consumer.adapters.request_headers import RequestHeaders
from consumer.adapters.request_target import NoTarget
from consumer.delivery.attempts import BatchRequest, OrderRequest


class RequestShape:
    """How an order becomes a request, before it is signed.

    Only what differs from order to order is set for each; nothing is normalised, as
    `Session.prepare_request` would: the request target is sent as it is here.
    """

    def __init__(self, url: ApiUrl, shape: ApiShape = USUAL_SHAPE) -> None:
        self._origin = url.origin
        self._target_of = url.target.of
        self._body_of = shape.body.of
        self._batch_form = shape.batch.form
        self._method = shape.method
        self._key_header = shape.idempotency_header
        self._headers = RequestHeaders(
            {
                "Host": url.authority,
                "User-Agent": "paced-orders",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Content-Type": shape.content_type,
            }
        )
        self._headers.update(shape.headers)

    def prepared(self, order: OrderRequest | BatchRequest) -> PreparedRequest | NoTarget:
        """The request that is sent for an order or a batch, but for its signature."""
        target = self._target_of(order.orders[0] if isinstance(order, BatchRequest) else order)
        if isinstance(target, NoTarget):
            return target
        if isinstance(order, BatchRequest):
            body = batch_body([self._body_of(each) for each in order.orders], self._batch_form)
        else:
            body = self._body_of(order)
        headers = self._headers.copy()
        if self._key_header is not None:
            headers[self._key_header] = order.idempotency_key
        headers["Content-Length"] = str(len(body))
        request = PreparedRequest()
        request.method = self._method
        request.url = f"{self._origin}{target}"
        request.headers = headers
        request.body = body
        return request
