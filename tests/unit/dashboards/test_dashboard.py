"""Does the backlog dashboard ask only for what is there, and is it laid out to be read?"""

from itertools import combinations
from typing import Any

import pytest

from consumer.telemetry.catalogue import CATALOGUE
from tests.support.dashboard_queries import dashboard, selectors, unknown_in

COLUMNS = 24
PANELS: list[dict[str, Any]] = dashboard()["panels"]
QUERIES = [(panel["title"], t["expr"]) for panel in PANELS for t in panel["targets"]]


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_a_panel_asks_for_metrics_and_labels_of_the_catalogue(title: str, query: str) -> None:
    assert unknown_in(query) == [], title


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_a_panel_shows_the_consumer_that_was_chosen(title: str, query: str) -> None:
    for selector in selectors(query):
        assert 'job="orders"' in str(selector), title


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_a_counter_is_shown_by_its_rate_and_a_gauge_as_it_is(title: str, query: str) -> None:
    counters = {m.name for m in CATALOGUE if m.kind == "counter"}
    names = {str(selector.name) for selector in selectors(query)}

    is_rate = "rate(" in query or "increase(" in query
    assert is_rate == any(n in counters or n.endswith("_bucket") for n in names), title


def test_every_metric_that_is_counted_for_people_is_shown() -> None:
    shown = {str(s.name).removesuffix("_bucket") for _, query in QUERIES for s in selectors(query)}

    # The release stands in the chooser; a wait that was capped is an alert, and rare.
    told_elsewhere = {"orders_build_info", "orders_waits_capped_total"}
    assert {metric.name for metric in CATALOGUE} - shown == told_elsewhere


def test_every_panel_says_what_it_shows() -> None:
    assert all(panel["title"] and panel["description"] for panel in PANELS)


def test_panels_have_ids_of_their_own_and_one_data_source() -> None:
    ids = [panel["id"] for panel in PANELS]
    sources = {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]}

    assert len(set(ids)) == len(ids)
    assert sources == {"${datasource}"}


def test_panels_lie_beside_each_other_within_the_width() -> None:
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= COLUMNS
    for one, other in combinations(PANELS, 2):
        assert not _overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    apart = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (beside or apart)
