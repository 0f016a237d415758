"""Write docs/configuration.md, docs/metrics.md and docs/what-stops-sending.md from the code.

Run as a program, `python -m tools.reference` writes them; a test checks that they are current.
"""

import re
import sys
import typing
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from consumer.setting_sentence import variable_names
from consumer.settings import ConsumerSettings
from consumer.telemetry.catalogue import CATALOGUE, Metric
from ledger.advice import ADVICE
from orders_cli.settings import CommandSettings
from producer_lambda.settings import ProducerSettings

DOCS = Path(__file__).resolve().parent.parent / "docs"
GENERATED = "<!-- Written by `python -m tools.reference`; a test holds it to the code. -->"

PROGRAMS = (
    (
        "The consumer",
        "`python -m consumer`, the worker, and the shard processes that it brings about.",
        ConsumerSettings,
    ),
    (
        "The producer",
        "The Lambda; `infra/pipeline.yaml` sets these from its parameters.",
        ProducerSettings,
    ),
    (
        "The `orders` command",
        "Each command says what it lacks. A sandbox writes those of its own into `sandbox.env`.",
        CommandSettings,
    ),
)

CONFIGURATION = f"""# Configuration

{GENERATED}

Every setting is an environment variable. An empty one is as good as none. A wrong or missing one is
named in one sentence at the start, and the program ends with code 2. AWS credentials are found as
everywhere: the task's or function's role, or `AWS_ACCESS_KEY_ID` and its companions.
"""

HEADINGS = "| variable | default | values | meaning |\n|---|---|---|---|\n"

METRICS = f"""# Metrics

{GENERATED}

The consumer serves them on `http://ORDERS_METRICS_HOST:ORDERS_METRICS_PORT/metrics`, in the format
of Prometheus. Those of origin *state* are read from the ledger, or looked at, by the worker each
second: at most a second old, and the same after a restart. With several workers each exports the
same state, so take `max`, not `sum`. Those of origin *process* are counted by the worker and its
shard processes from 0 at the worker's start: with several workers, `sum` them.

| metric | kind | labels | origin | meaning |
|---|---|---|---|---|
"""


ADVICE_PAGE = f"""# What stops sending, and what to do

{GENERATED}

`orders status` and the status page name the cause, and give the same advice.

| cause | what happened | what to do |
|---|---|---|
"""


def configuration_text() -> str:
    """The whole of docs/configuration.md."""
    parts = [CONFIGURATION]
    for title, about, settings in PROGRAMS:
        parts.append(f"\n## {title}\n\n{about}\n\n{HEADINGS}")
        fields = settings.model_fields.items()
        parts.extend(_setting_row(settings, name, field) for name, field in fields)
    return "".join(parts)


def metrics_text() -> str:
    """The whole of docs/metrics.md."""
    return METRICS + "".join(_metric_row(metric) for metric in CATALOGUE) + _histograms()


def advice_text() -> str:
    """The whole of docs/what-stops-sending.md."""
    return ADVICE_PAGE + "".join(
        f"| `{cause}` | {advice.meaning} | {_linked(advice.action)} |\n"
        for cause, advice in ADVICE.items()
    )


def main() -> int:
    """Write the files."""
    (DOCS / "what-stops-sending.md").write_text(advice_text(), encoding="utf-8")
    (DOCS / "configuration.md").write_text(configuration_text(), encoding="utf-8")
    (DOCS / "metrics.md").write_text(metrics_text(), encoding="utf-8")
    return 0


def _linked(text: str) -> str:
    """Headings of docs/operations.md as links."""
    return re.sub(
        r"(\w+) in docs/operations\.md",
        lambda found: f"[{found[1]}](operations.md#{found[1].lower()})",
        text,
    )


def _setting_row(settings: type[BaseSettings], name: str, field: FieldInfo) -> str:
    variables = " or ".join(f"`{variable}`" for variable in variable_names(settings, name))
    default = "*needed*" if field.is_required() else _told(field.default)
    about = field.description or ""
    sentence = about[:1].upper() + about[1:].rstrip(".") + "."
    return f"| {variables} | {default} | {_values(field)} | {sentence} |\n"


def _told(value: object) -> str:
    match value:
        case None | "":
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case Enum():
            return f"`{value.value}`"
        case float():
            return f"`{value:g}`"
        case (orders, percent):
            return f"`{orders},{percent:g}%`"
        case _:
            return f"`{value}`"


def _values(field: FieldInfo) -> str:
    bounds = []
    for rule in field.metadata:
        match rule:
            case Ge():
                bounds.append(f"at least {rule.ge}")
            case Gt():
                bounds.append(f"above {rule.gt}")
            case Le():
                bounds.append(f"at most {rule.le}")
            case Lt():
                bounds.append(f"below {rule.lt}")
            case _:
                pass  # patterns and lengths: the meaning says what they are for
    words = _choices(field.annotation)
    return ", ".join([*words, *bounds])


def _choices(annotation: object) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [f"`{member.value}`" for member in annotation]
    if annotation is bool:
        return ["`true`", "`false`"]
    if typing.get_origin(annotation) is typing.Literal:
        return [f"`{value}`" for value in typing.get_args(annotation)]
    if typing.get_origin(annotation) in {typing.Union, UnionType}:
        parts = [part for part in typing.get_args(annotation) if part is not NoneType]
        return [word for part in parts for word in _choices(part)]
    return []


def _metric_row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.origin} | {metric.about} |\n"


def _histograms() -> str:
    lines = ["\n## Buckets\n\n"]
    for metric in CATALOGUE:
        if metric.kind == "histogram":
            edges = ", ".join(f"{edge:g}" for edge in metric.buckets)
            lines.append(f"- `{metric.name}`: up to {edges} seconds, and more.\n")
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
