"""The shape of requests and the meaning of answers, as the settings of the API say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from consumer.adapters.answer_table import PUBLISHED, AnswerTable
from consumer.adapters.batch_shape import ONE_STATUS, BatchShape
from consumer.adapters.body_template import WHOLE, BodyTemplate

METHODS = ("PUT", "POST", "PATCH")


@dataclass(frozen=True, slots=True)
class ApiShape:
    """What differs from API to API, beside its address and its sign-in.

    headers: static ones, of each request. idempotency_header: None sends no key.
    batch: of several orders in one request.
    """

    method: str = "PUT"
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotency_header: str | None = "Idempotency-Key"
    content_type: str = "application/json"
    body: BodyTemplate = WHOLE
    answers: AnswerTable = PUBLISHED
    batch: BatchShape = ONE_STATUS


USUAL_SHAPE: Final = ApiShape()
"""An order is PUT as it came, and answers mean what the published table says."""
