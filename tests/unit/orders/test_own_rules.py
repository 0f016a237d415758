"""Orders of one's own: by a model, and by a mapping file."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import AliasChoices, BaseModel, Field, RootModel, field_validator

from orders.chosen_rules import chosen_rules
from orders.file_reading import ReadingLimits, parse_file
from orders.formats import SourceUnreadable, format_of
from orders.order_mapping import load_mapping, rules_of_mapping
from orders.order_rules import ORDINARY, OrderRules
from orders.own_model import rules_of_model
from orders.parsed_lines import FilePosition, ParsedLines
from orders.rule_errors import ModelFailed, RulesWrong

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "own-orders.md"


class Parcel(BaseModel):
    number: Annotated[str, Field(validation_alias="Parcel No")]
    weight: int | None = None
    fragile: bool = False
    price: float = 0.0

    @field_validator("number", mode="before")
    @classmethod
    def _tidy(cls, given: object) -> object:
        return str(given).strip().upper()

    @field_validator("weight")
    @classmethod
    def _weigh(cls, given: int | None) -> int | None:
        if given == 13:
            raise RuntimeError("the scales are broken")
        return given


class Rooted(RootModel[int]):
    pass


class Choosing(BaseModel):
    order_id: str = Field(validation_alias=AliasChoices("order_id", "id"))
    note: str = Field(validation_alias=AliasChoices("note", "remark"))


PARCELS = rules_of_model(Parcel, "Parcel No")


def read(content: bytes, rules: OrderRules, name: str = "o.jsonl") -> ParsedLines:
    parts = list(
        parse_file(
            lambda offset: [content[offset:]],
            format_of(name),
            FilePosition(),
            ReadingLimits(rules=rules),
        )
    )
    assert len(parts) == 1
    return parts[0]


def mapping_rules(folder: Path, **changes: object) -> OrderRules:
    fields = {
        "number": {"type": "integer", "column": "Order No"},
        "customer": {"column": "Customer"},
        "total": "number",
        "paid": {"type": "boolean", "required": False},
        "at": {"type": "date-time", "required": False},
        "day": {"type": "date", "required": False},
        "note": {"required": False},
    }
    path = folder / "shop.json"
    path.write_text(json.dumps({"id": "number", "fields": fields} | changes))
    return rules_of_mapping(load_mapping(path))


def test_the_id_is_the_text_in_the_line_whatever_the_model_makes_of_it() -> None:
    lines = read(b'{"Parcel No":"ab-1"}\n{"Parcel No":"AB-1"}\n{"Parcel No":7}\n', PARCELS)

    assert lines.order_ids == ["ab-1", "AB-1", "7"]
    assert lines.bodies[0] == b'{"Parcel No":"ab-1"}'
    assert lines.carries_id


@pytest.mark.parametrize("given", ['" a"', '".."', '""', '"\\u0000"', f'"{"x" * 129}"'])
def test_an_id_that_would_not_survive_a_path_is_invalid(given: str) -> None:
    (invalid,) = read(b'{"Parcel No":%s}\n' % given.encode(), PARCELS).invalid

    assert invalid.reason.startswith("Parcel No: ")


@pytest.mark.parametrize("given", ["1.0", "true", "null", "[1]", "1e2"])
def test_an_id_is_a_string_or_an_integer(given: str) -> None:
    (invalid,) = read(b'{"Parcel No":%s}\n' % given.encode(), PARCELS).invalid

    assert invalid.reason == "Parcel No: Input should be a valid string"


def test_what_is_not_json_is_no_order_for_any_model() -> None:
    lines = read(b'{"Parcel No":"NaN"}\n{"Parcel No":"b","more":NaN}\n{"Parcel No":\n', PARCELS)

    assert lines.order_ids == ["NaN"]
    assert [one.line for one in lines.invalid] == [2, 3]
    assert lines.invalid[0].reason == "NaN is not JSON"


def test_csv_cells_become_what_the_model_declares() -> None:
    content = b"Parcel No;weight;fragile;price;more\n01;-3;TRUE;9.5;x\n02;3.5;;9.50;\n"

    lines = read(content, PARCELS, "o.csv")

    assert lines.bodies == [b'{"Parcel No":"01","weight":-3,"fragile":true,"price":9.5,"more":"x"}']
    assert lines.order_ids == ["01"]
    assert [one.line for one in lines.invalid] == [3]
    assert lines.invalid[0].reason.startswith("weight: Input should be a valid integer")


def test_a_field_of_several_names_is_not_demanded_of_a_csv_header() -> None:
    rules = rules_of_model(Choosing, "order_id")

    assert read(b"order_id,remark\na,b\n", rules, "o.csv").order_ids == ["a"]
    with pytest.raises(SourceUnreadable, match="the header lacks the columns order_id"):
        read(b"id,remark\na,b\n", rules, "o.csv")


def test_a_model_that_breaks_down_does_not_make_its_line_invalid() -> None:
    with pytest.raises(ModelFailed, match=r"Parcel failed \(RuntimeError: the scales are broken\)"):
        read(b'{"Parcel No":"a","weight":13}\n', PARCELS)


def test_a_model_that_ends_the_program_is_named_instead() -> None:
    class Leaving(BaseModel):
        order_id: str

        @field_validator("order_id")
        @classmethod
        def _leave(cls, _: str) -> str:
            raise SystemExit(3)

    with pytest.raises(ModelFailed, match=r"Leaving failed \(SystemExit: 3\)"):
        read(b'{"order_id":"a"}\n', rules_of_model(Leaving, "order_id"))


def test_a_mapping_names_columns_types_and_the_id(tmp_path: Path) -> None:
    rules = mapping_rules(tmp_path)

    lines = read(
        b"Order No,Customer,total,paid,more\n7,C,10.50,false,x\n8,C,12,,\n", rules, "o.csv"
    )

    assert lines.bodies == [
        b'{"number":7,"customer":"C","total":10.5,"paid":false,"more":"x"}',
        b'{"number":8,"customer":"C","total":12}',
    ]
    assert lines.order_ids == ["7", "8"]


def test_a_mapping_takes_json_by_its_names(tmp_path: Path) -> None:
    line = b'{"number": 7, "customer":"C", "total":1, "at":"2026-03-01T09:30:00Z", "note":null}'

    lines = read(line + b"\r\n", mapping_rules(tmp_path))

    assert (lines.order_ids, lines.bodies) == (["7"], [line])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"number": 1.5}, "number: must be a whole number"),
        ({"number": "7"}, "number: must be a whole number"),
        ({"customer": ""}, "customer: String should have at least 1 character"),
        ({"customer": None}, "customer: Input should be a valid string"),
        ({"total": "1"}, "total: Input should be a valid number"),
        ({"paid": 1}, "paid: Input should be a valid boolean"),
        ({"at": "2026-03-01T09:30:00"}, "at: Input should have timezone info"),
        ({"day": 7}, "day: Input should be a valid date"),
    ],
)
def test_a_mapping_is_strict(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    line = json.dumps({"number": 7, "customer": "C", "total": 1} | change).encode()

    (invalid,) = read(line, mapping_rules(tmp_path)).invalid

    assert invalid.reason == reason


def test_the_columns_of_a_mapping_are_named_where_they_are_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match=r"the header lacks the columns Order No, Customer$"):
        read(b"total\n1\n", mapping_rules(tmp_path), "o.csv")
    with pytest.raises(SourceUnreadable, match="the header names 'Order No' more than once"):
        read(b"number,Order No,Customer,total\n", mapping_rules(tmp_path), "o.csv")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("m.yaml", "id: a", "is neither .toml nor .json"),
        ("m.toml", "id = ", "does not parse"),
        ("m.json", "[" * 100_000, "does not parse"),
        ("m.toml", "", "id: Field required"),
        ("m.toml", 'id = "a"\nfields = {a = "text"}', "fields.a.type: Input should be 'string',"),
        ("m.toml", 'id = "a"\nfields = {a = {kind = "string"}}', "fields.a.kind: Extra inputs"),
        ("m.toml", 'id = "a"\nfields = {b = "string"}', "its id 'a' is none of its fields"),
        ("m.toml", 'id = "a"\nfields = {a = "number"}', "the id a must be required, and of the"),
        (
            "m.toml",
            'id = "a"\nfields = {a = {}, b = {column = "a"}}',
            "two fields have the column 'a'",
        ),
    ],
)
def test_a_mapping_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(RulesWrong) as caught:
        chosen_rules(model="", id_field="", mapping=str(path))

    assert str(caught.value).startswith(f"ORDERS_ORDER_MAPPING {path}")
    assert sentence in str(caught.value)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "shop_of_a_test.py").write_text(
        "from pydantic import BaseModel, RootModel\n"
        "class Order(BaseModel):\n    number: str\n"
        "class Rooted(RootModel[int]):\n    pass\n"
        "class Later(BaseModel):\n    order_id: 'Missing'\n"
        "thing = 1\n"
    )
    (tmp_path / "leaves_of_a_test.py").write_text("raise SystemExit(1)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("shop_of_a_test", None)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("model", "id_field", "sentence"),
    [
        ("shop", "", "write package.module:Class"),
        ("no_such_module:Order", "", "cannot be imported (ModuleNotFoundError: No module named"),
        ("leaves_of_a_test:Order", "", "cannot be imported (SystemExit: 1)"),
        ("shop_of_a_test:Nothing", "", "that module has no Nothing"),
        ("shop_of_a_test:thing", "", "is no pydantic model"),
        ("shop_of_a_test:Rooted", "", "is no pydantic model"),
        ("shop_of_a_test:Later", "", "cannot be imported (PydanticUndefinedAnnotation"),
        ("shop_of_a_test:Order", "", "has no field order_id; set ORDERS_ORDER_ID_FIELD"),
        ("shop_of_a_test:Order", "no", "has no field no; set ORDERS_ORDER_ID_FIELD"),
        ("", "number", "is set without ORDERS_ORDER_MODEL"),
    ],
)
def test_a_model_that_cannot_be_used_is_one_sentence(
    model: str, id_field: str, sentence: str
) -> None:
    with pytest.raises(RulesWrong) as caught:
        chosen_rules(model=model, id_field=id_field, mapping="")

    assert sentence in str(caught.value)


@pytest.mark.usefixtures("shop")
def test_the_settings_choose_the_rules(tmp_path: Path) -> None:
    assert chosen_rules(model="", id_field="", mapping="") is ORDINARY
    assert chosen_rules(model="shop_of_a_test:Order", id_field="number", mapping="").fields == (
        "number",
    )
    with pytest.raises(RulesWrong, match="are both set; keep one"):
        chosen_rules(model="shop_of_a_test:Order", id_field="number", mapping=str(tmp_path))


def test_the_mapping_of_the_how_to_works(tmp_path: Path) -> None:
    text = HOW_TO.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    (tmp_path / "shop.toml").write_text(text)

    rules = chosen_rules(model="", id_field="", mapping=str(tmp_path / "shop.toml"))

    assert read(b"Order No,Customer,total\n7,C,1\n", rules, "o.csv").order_ids == ["7"]
