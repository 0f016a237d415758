"""The rules of orders that a pydantic model of one's own sets.

The model decides whether a line is an order. The order's id is read from the line by a check beside
it, so that it is the id in the file, whatever the model makes of it.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, Field, RootModel, create_model
from pydantic.fields import FieldInfo

from orders.order import NotAnOrder
from orders.order_rules import Checked, OrderRules, exact_number, truth, whole_number
from orders.own_rules import AnyOrderId, OwnFields, own_rules
from orders.rule_errors import ModelFailed, RulesWrong

_CELLS: dict[object, Callable[[str], object]] = {
    int: whole_number,
    float: exact_number,
    bool: truth,
}


def load_model(path: str) -> type[BaseModel]:
    """The model that `package.module:Class` names. Raises RulesWrong."""
    module_name, _, class_name = path.partition(":")
    if not module_name or not class_name.isidentifier():
        raise RulesWrong(f"ORDERS_ORDER_MODEL is {path!r}; write package.module:Class.")
    try:
        found: object = getattr(import_module(module_name), class_name, None)
        if isinstance(found, type) and issubclass(found, BaseModel):
            found.model_rebuild()
    except (Exception, SystemExit) as error:
        raise RulesWrong(
            f"ORDERS_ORDER_MODEL {path} cannot be imported ({type(error).__name__}: {error}); put "
            "its module into the folder models/ beside orders/, or install its package."
        ) from error
    if found is None:
        raise RulesWrong(f"ORDERS_ORDER_MODEL {path}: that module has no {class_name}.")
    if not isinstance(found, type) or not issubclass(found, BaseModel) or _is_bare(found):
        raise RulesWrong(
            f"ORDERS_ORDER_MODEL {path} is no pydantic model; name a class derived from BaseModel."
        )
    return found


def _is_bare(model: type[BaseModel]) -> bool:
    """A root model is one value, without fields by name."""
    return issubclass(model, RootModel)


def rules_of_model(model: type[BaseModel], id_field: str) -> OrderRules:
    """The rules of a model, the order id of which has this name in JSON. Raises RulesWrong."""
    fields: dict[str, FieldInfo] = {}
    required: list[str] = []
    for attribute, field in model.model_fields.items():
        names = list(_json_names(attribute, field))
        fields |= dict.fromkeys(names, field)
        if field.is_required() and len(names) == 1:
            required += names
    if id_field not in fields:
        raise RulesWrong(
            f"The order model {model.__name__} has no field {id_field}; set ORDERS_ORDER_ID_FIELD "
            f"to the name of its order id in JSON, one of: {', '.join(fields) or 'none'}."
        )
    numbers = {name: read for name, field in fields.items() if (read := _cell_reader(field))}
    found = OwnFields(tuple(fields), tuple(dict.fromkeys((*required, id_field))), numbers)
    return own_rules(_check_of(model, id_field), found)


def _check_of(model: type[BaseModel], id_field: str) -> Callable[[bytes], Checked]:
    check_model = model.__pydantic_validator__.validate_json
    named: Any = (AnyOrderId, Field(validation_alias=id_field))
    check_id: Callable[[bytes], Checked] = create_model(
        "OrderIdOfLine", order_id=named
    ).__pydantic_validator__.validate_json

    def check(line: bytes) -> Checked:
        try:
            check_model(line)
        except NotAnOrder:
            raise
        except (Exception, SystemExit) as error:
            raise ModelFailed(
                f"The order model {model.__name__} failed ({type(error).__name__}: {error}) on a "
                f"line that begins with {line[:100]!r}; let it raise ValueError for what is no "
                "order, or mend it."
            ) from error
        return check_id(line)

    return check


def _json_names(attribute: str, field: FieldInfo) -> Iterator[str]:
    """The names that a field may have in JSON, as far as they are names of one level."""
    alias = field.validation_alias or field.alias or attribute
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    yield from (choice for choice in choices if isinstance(choice, str))


def _cell_reader(field: FieldInfo) -> Callable[[str], object] | None:
    """How a CSV cell of this field becomes JSON; None where it stays text."""
    kinds = set(_kinds(field.annotation))
    kinds.discard(NoneType)
    return _CELLS.get(kinds.pop()) if len(kinds) == 1 else None


def _kinds(annotation: object) -> Iterator[object]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for one in get_args(annotation):
            yield from _kinds(one)
    else:
        yield annotation
