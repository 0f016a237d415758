"""Which requests does the sandbox's API take, by the settings that its worker gets?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from consumer.adapters.api_shape import METHODS
from consumer.adapters.api_url import ApiUrlUnusable, parse_api_url
from consumer.adapters.batch_answer import BatchResultsUnusable, parse_result_names
from consumer.adapters.request_fields import NO_FIELD
from orders.chosen_rules import chosen_id_field
from orders.quota import QuotaError, parse_quotas, parse_time_zone
from orders.rule_errors import RulesWrong
from sandbox.api.taken_requests import ID_FIELD, KEY_HEADER, METHOD, PATH
from sandbox.sandbox_errors import WrongUse


@dataclass(frozen=True, slots=True)
class ConfiguredApi:
    """Method, path (of ORDERS_API_URL, whose host the sandbox replaces) and header of the key.

    quota, time_zone: the API refuses what is above the worker's quotas.
    id_field: where an order in a body has its id, with orders of one's own.
    """

    method: str = METHOD
    path: str = PATH
    key_header: str = KEY_HEADER
    results: str = ""
    quota: str = ""
    time_zone: str = "UTC"
    id_field: str = ID_FIELD

    @classmethod
    def from_variables(cls, around: Mapping[str, str]) -> Self:
        """As the environment says. Raises WrongUse with one sentence."""
        method = around.get("ORDERS_API_METHOD") or METHOD
        if method not in METHODS:
            raise WrongUse(f"ORDERS_API_METHOD is {method!r}; it may be {', '.join(METHODS)}.")
        url = around.get("ORDERS_API_URL")
        try:
            path = parse_api_url(url).target.template if url else PATH
        except ApiUrlUnusable as error:
            raise WrongUse(f"ORDERS_API_URL is wrong: {error}.") from error
        key_header = around.get("ORDERS_API_IDEMPOTENCY_HEADER") or KEY_HEADER
        results = around.get("ORDERS_BATCH_RESULTS") or ""
        try:
            if results:
                parse_result_names(results)
        except BatchResultsUnusable as error:
            raise WrongUse(f"ORDERS_BATCH_RESULTS is wrong: {error}.") from error
        quota, time_zone = around.get("ORDERS_QUOTA") or "", around.get("ORDERS_TIME_ZONE") or "UTC"
        try:
            parse_quotas(quota), parse_time_zone(time_zone)
        except QuotaError as error:
            raise WrongUse(f"ORDERS_QUOTA or ORDERS_TIME_ZONE is wrong: {error}.") from error
        header = KEY_HEADER if key_header == NO_FIELD else key_header
        return cls(method, path, header, results, quota, time_zone, _id_field(around))

    @property
    def options(self) -> list[str]:
        """Options of `python -m sandbox.api`."""
        return [
            *("--method", self.method),
            *("--path", self.path),
            *("--key-header", self.key_header),
            *(("--batch-results", self.results) if self.results else ()),
            *(("--quota", self.quota, "--time-zone", self.time_zone) if self.quota else ()),
            *(("--id-field", self.id_field) if self.id_field != ID_FIELD else ()),
        ]


def _id_field(around: Mapping[str, str]) -> str:
    try:
        return chosen_id_field(
            id_field=around.get("ORDERS_ORDER_ID_FIELD", ""),
            mapping=around.get("ORDERS_ORDER_MAPPING", ""),
        )
    except RulesWrong as error:
        raise WrongUse(str(error)) from error
