"""Which rules of orders do the settings choose?"""

from pathlib import Path

from orders.order_mapping import load_mapping, rules_of_mapping
from orders.order_rules import ORDINARY, OrderRules
from orders.own_model import load_model, rules_of_model
from orders.rule_errors import RulesWrong

DEFAULT_ID_FIELD = "order_id"
_CODE = Path(__file__).resolve().parents[1]


def chosen_rules(*, model: str, id_field: str, mapping: str) -> OrderRules:
    """The rules of ORDERS_ORDER_MODEL, ORDERS_ORDER_ID_FIELD and ORDERS_ORDER_MAPPING.

    Empty: not set. Raises RulesWrong.
    """
    if model and mapping:
        raise RulesWrong("ORDERS_ORDER_MODEL and ORDERS_ORDER_MAPPING are both set; keep one.")
    if id_field and not model:
        raise RulesWrong(
            "ORDERS_ORDER_ID_FIELD is set without ORDERS_ORDER_MODEL; a mapping file names the id "
            "itself, and without either it is order_id."
        )
    if model:
        return rules_of_model(load_model(model), id_field or DEFAULT_ID_FIELD)
    return rules_of_mapping(load_mapping(_found(mapping))) if mapping else ORDINARY


def chosen_id_field(*, id_field: str, mapping: str) -> str:
    """The name of the order id in an order's JSON, by the same settings. Raises RulesWrong."""
    return load_mapping(_found(mapping)).id if mapping else id_field or DEFAULT_ID_FIELD


def _found(mapping: str) -> Path:
    """A mapping file by its path, from the working folder or from the folder of the code."""
    path = Path(mapping)
    beside_code = _CODE / path
    return beside_code if beside_code.is_file() and not path.is_file() else path
