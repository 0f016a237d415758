"""Which metrics and labels does a query ask for?"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from consumer.telemetry.catalogue import CATALOGUE

FOLDER = Path(__file__).resolve().parents[2] / "dashboards"
# What Prometheus itself puts on every series.
SCRAPE_LABELS = {"job", "instance"}
# Grafana replaces them before a query leaves it.
GRAFANA_VARIABLES = {"$__rate_interval": "5m", "$job": "orders"}


def series_names() -> dict[str, set[str]]:
    """The series that Prometheus has of us, by name, and the labels that each may carry."""
    names: dict[str, set[str]] = {}
    for metric in CATALOGUE:
        labels = {*metric.labels, *SCRAPE_LABELS}
        if metric.kind == "histogram":
            names[f"{metric.name}_bucket"] = {*labels, "le"}
            names[f"{metric.name}_sum"] = labels
            names[f"{metric.name}_count"] = labels
        else:
            names[metric.name] = labels
    return names


def dashboard() -> dict[str, Any]:
    """The backlog dashboard as parsed JSON."""
    return dict(json.loads((FOLDER / "backlog.json").read_text(encoding="utf-8")))


def alerts() -> list[dict[str, Any]]:
    """The alerting rules, in their order."""
    groups = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def selectors(query: str) -> Iterator[promql_parser.VectorSelector]:
    """Every series that a query selects. Raises ValueError for what is no PromQL."""
    for variable, value in GRAFANA_VARIABLES.items():
        query = query.replace(variable, value)
    found: list[promql_parser.VectorSelector] = []

    def visit(node: object) -> bool:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(query), visit)
    return iter(found)


def unknown_in(query: str) -> list[str]:
    """Names and labels of a query that our metrics do not have."""
    known = series_names()
    unknown = []
    for selector in selectors(query):
        name = str(selector.name)
        if name not in known:
            unknown.append(name)
            continue
        matchers = selector.matchers.matchers
        unknown += [f"{name}{{{m.name}}}" for m in matchers if m.name not in known[name]]
    labels = set().union(*known.values())
    return unknown + [label for label in _grouped_by(query) if label not in labels]


def _grouped_by(query: str) -> list[str]:
    groups = re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", query)
    return [label.strip() for group in groups for label in group.split(",") if label.strip()]
