"""What is sent for an entry whose attempt starts?"""

from consumer.delivery.attempts import BatchRequest, OrderRequest
from consumer.delivery.batch import Batch
from consumer.delivery.entries import Entry
from orders.upload import UploadId, batch_idempotency_key, idempotency_key


def request_of(entry: Entry) -> OrderRequest | BatchRequest:
    """The order, or the orders under way of a batch."""
    if not isinstance(entry, Batch):
        return _order(entry)
    orders = tuple(_order(order) for order in entry.under_way)
    key = batch_idempotency_key(UploadId(orders[0].upload), (order.line for order in orders))
    return BatchRequest(orders, key)


def _order(entry: Entry) -> OrderRequest:
    key = entry.key
    if key is None:
        raise AssertionError("a record that is no order was to be sent")
    return OrderRequest(
        key.upload,
        entry.line,
        entry.order_id,
        entry.body,
        idempotency_key=idempotency_key(key.upload, entry.line),
    )
