"""What does one of our CloudFormation templates say?"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Sub x` is read as `{"Fn::Sub": "x"}`."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    raise TypeError(f"no short form of CloudFormation takes {node.tag} with a mapping")


_Loader.add_multi_constructor("!", _short_form)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an identity's policy, with its parts as lists."""

    name: str  # `resource/Sid`
    effect: str
    actions: tuple[str, ...]
    resources: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """One template as parsed YAML."""

    path: Path
    body: dict[str, Any]

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Logical name to resource."""
        return dict(self.body["Resources"])

    def of_type(self, *types: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of these types, by logical name."""
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] in types
        }

    def default(self, parameter: str) -> str:
        """A parameter's default, as text."""
        return str(self.body["Parameters"][parameter]["Default"])

    def role_statements(self) -> Iterator[Statement]:
        """Every statement of every role's policies, those behind a condition included."""
        for name, role in self.of_type("AWS::IAM::Role").items():
            for policy in role["Policies"]:
                for found in policy["PolicyDocument"]["Statement"]:
                    statement = found["Fn::If"][1] if "Fn::If" in found else found
                    yield Statement(
                        name=f"{name}/{statement['Sid']}",
                        effect=statement["Effect"],
                        actions=tuple(_as_list(statement["Action"])),
                        resources=tuple(_as_list(statement["Resource"])),
                    )


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - a policy document has no schema here
    return value if isinstance(value, list) else [value]


@cache
def read_template(name: str) -> Template:
    """Read `infra/<name>.yaml`."""
    path = INFRA / f"{name}.yaml"
    # A subclass of SafeLoader: it makes plain values only.
    return Template(path, yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader))  # noqa: S506
