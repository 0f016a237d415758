"""The rules of orders that a mapping file sets: fields, their types, and their CSV columns.

    id = "number"
    [fields]
    number = {type = "string", column = "Order No"}
    quantity = "integer"
    note = {required = false}

JSON with the same keys does as well as TOML.
"""

import json
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)

from orders.order import OrderIdText, require_date_text
from orders.order_rules import OrderRules, exact_number, truth, whole_number
from orders.own_rules import IntegerOrderId, OwnFields, own_rules
from orders.rule_errors import RulesWrong

_STRICT: Final = Field(strict=True)
_TYPES: Final[dict[str, Any]] = {
    "string": Annotated[str, Field(min_length=1)],
    "integer": Annotated[int, _STRICT],
    "number": Annotated[float, Field(strict=True, allow_inf_nan=False)],
    "boolean": Annotated[bool, _STRICT],
    "date": Annotated[date, _STRICT],
    "date-time": Annotated[AwareDatetime, BeforeValidator(require_date_text)],
    "any": Any,
}
_ID_TYPES: Final[dict[str, Any]] = {"string": OrderIdText, "integer": IntegerOrderId}
_CELLS: Final[dict[str, Callable[[str], object]]] = {
    "integer": whole_number,
    "number": exact_number,
    "boolean": truth,
}


def _spelled_out(given: object) -> object:
    """A field that is only given its type."""
    return {"type": given} if isinstance(given, str) else given


class MappedField(BaseModel):
    """One field. column: its name in a CSV header, where that is another."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["string", "integer", "number", "boolean", "date", "date-time", "any"] = "string"
    required: bool = True
    column: str | None = Field(None, min_length=1)


class OrderMapping(BaseModel):
    """A mapping file. id: the field that is the order id. fields: by their names in JSON."""

    model_config = ConfigDict(extra="forbid")

    id: str
    fields: dict[str, Annotated[MappedField, BeforeValidator(_spelled_out)]]


def load_mapping(path: Path) -> OrderMapping:
    """The mapping of a TOML or JSON file. Raises RulesWrong."""
    parsers: dict[str, Callable[[str], object]] = {".toml": tomllib.loads, ".json": json.loads}
    parse = parsers.get(path.suffix.lower())
    if parse is None:
        raise RulesWrong(f"ORDERS_ORDER_MAPPING {path} is neither .toml nor .json.")
    try:
        mapping = OrderMapping.model_validate(parse(path.read_text(encoding="utf-8-sig")))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        problem = f"{where}: {first['msg']}" if where else first["msg"]
        raise RulesWrong(f"ORDERS_ORDER_MAPPING {path}: {problem}.") from error
    except OSError as error:
        raise RulesWrong(
            f"ORDERS_ORDER_MAPPING {path} cannot be read: {error.strerror or error}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise RulesWrong(f"ORDERS_ORDER_MAPPING {path} does not parse: {error}.") from error
    _check_mapping(mapping, path)
    return mapping


def _check_mapping(mapping: OrderMapping, path: Path) -> None:
    of_id = mapping.fields.get(mapping.id)
    if of_id is None:
        raise RulesWrong(
            f"ORDERS_ORDER_MAPPING {path}: its id {mapping.id!r} is none of its fields."
        )
    if of_id.type not in _ID_TYPES or not of_id.required:
        raise RulesWrong(
            f"ORDERS_ORDER_MAPPING {path}: the id {mapping.id} must be required, and of the type "
            "string or integer."
        )
    columns = [field.column or name for name, field in mapping.fields.items()]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise RulesWrong(f"ORDERS_ORDER_MAPPING {path}: two fields have the column {twice[0]!r}.")


def rules_of_mapping(mapping: OrderMapping) -> OrderRules:
    """The rules of a mapping: those of a model that has its fields."""
    members: dict[str, Any] = {}
    for index, (name, field) in enumerate(mapping.fields.items()):
        if name == mapping.id:
            members["order_id"] = (_ID_TYPES[field.type], Field(validation_alias=name))
        elif field.required:
            members[f"field_{index}"] = (_TYPES[field.type], Field(validation_alias=name))
        else:
            kind = str if field.type == "string" else _TYPES[field.type]
            members[f"field_{index}"] = (kind | None, Field(None, validation_alias=name))
    model = create_model("MappedOrder", **members)
    fields = mapping.fields.items()
    found = OwnFields(
        tuple(mapping.fields),
        tuple(name for name, field in fields if field.required),
        {name: _CELLS[field.type] for name, field in fields if field.type in _CELLS},
        {field.column: name for name, field in fields if field.column},
    )
    return own_rules(model.__pydantic_validator__.validate_json, found)
