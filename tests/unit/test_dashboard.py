"""The dashboard, the alerts and the mapping of statsd_exporter name only metrics that are sent, and all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import dashboard
import promql_parser
import pytest
import yaml

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.metrics.known import METRICS, Metric, accepted
from airflow_cloudtasks.model import TaskState

DASHBOARD = json.loads(dashboard.dashboard())
ALERTS = yaml.safe_load(dashboard.alerts())["groups"][0]["rules"]
MAPPINGS = yaml.safe_load(dashboard.mapping())["mappings"]
VALUES = {"api": "wedata.task_run", "action": "GetTaskRun", "state": "failed", "outcome": "unknown"}
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
QUERIES = [
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]),
    *(rule["expr"] for rule in ALERTS),
]
# What Grafana fills in.
FILLED_IN = {"$__rate_interval": "5m", "$__range": "3h", "$conn_id": ".*", "$region": ".*", "$api": ".*"}


def values_of(metric: Metric) -> dict[str, str]:
    return {tag: VALUES.get(tag, "any") for tag in (*metric.parts, *metric.tags)}


def names_of(metric: Metric) -> set[str]:
    """Return the names that a metric's time series have in Prometheus: by statsd_exporter and by OpenTelemetry."""
    name = f"airflow.{metric.name(values_of(metric))}".replace(".", "_")
    if metric.kind == "counter":
        return {name, f"{name}_total"}
    return {name, f"{name}_milliseconds"} if metric.kind == "timer" else {name}


def selectors(query: str) -> Iterator[Any]:
    """Yield the selectors of a query."""
    for name, value in FILLED_IN.items():
        query = query.replace(name, value)
    left = [promql_parser.parse(query)]
    while left:
        node = left.pop()
        if isinstance(node, promql_parser.VectorSelector):
            yield node
        left += [
            part
            for attribute in ("expr", "lhs", "rhs", "vector_selector", "args")
            for part in _listed(getattr(node, attribute, None))
        ]


def _listed(part: Any) -> list[Any]:
    return part if isinstance(part, list) else [] if part is None else [part]


def metrics_of(selector: Any) -> set[Metric]:
    """Return the metrics of which a selector takes time series."""
    [pattern] = [each.value for each in selector.matchers.matchers if each.name == "__name__"]
    return {metric for metric in METRICS if any(re.fullmatch(pattern, name) for name in names_of(metric))}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_takes_one_metric_by_each_selector_and_labels_that_it_has(query: str) -> None:
    found = list(selectors(query))
    assert found
    for selector in found:
        [metric] = metrics_of(selector)
        labels = {each.name for each in selector.matchers.matchers} - {"__name__", "quantile"}
        assert labels <= {*metric.parts, *metric.tags}


def test_every_metric_is_shown_or_said_not_to_be() -> None:
    shown = {
        metric
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
        for selector in selectors(target["expr"])
        for metric in metrics_of(selector)
    }
    assert shown | set(dashboard.NOT_SHOWN) == set(METRICS)
    assert not shown & set(dashboard.NOT_SHOWN)


def test_no_metric_s_name_begins_with_the_name_of_another() -> None:
    paths = [dashboard.prometheus_path(metric) + "_" for metric in METRICS]
    assert not [pair for pair in combinations(paths, 2) if pair[0].startswith(pair[1]) or pair[1].startswith(pair[0])]


@pytest.mark.parametrize("panel", PANELS)
def test_a_legend_names_labels_by_which_its_query_groups(panel: str) -> None:
    for target in PANELS[panel]["targets"]:
        for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
            assert re.search(rf"by \([^)]*\b{label}\b[^)]*\)", target["expr"])


def test_panels_overlap_nowhere_and_fill_their_rows() -> None:
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    rows = {y for _, y in taken}
    assert len(taken) == len(set(taken)) == dashboard.WIDTH * len(rows)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.path)
def test_the_mapping_of_statsd_exporter_keeps_names_and_reads_labels(metric: Metric) -> None:
    name = f"airflow.{metric.name(values_of(metric))}"
    [(mapping, found)] = [(each, match) for each in MAPPINGS if (match := re.fullmatch(each["match"], name))]

    def filled(template: str) -> str:
        return re.sub(r"\$\{(\d+)\}", lambda number: found[int(number[1])], template)

    # As statsd_exporter escapes names.
    assert filled(mapping["name"]).replace(".", "_") == name.replace(".", "_")
    assert {label: filled(value) for label, value in mapping["labels"].items()} == {
        part: values_of(metric)[part] for part in metric.parts
    }
    assert ("ttl" in mapping) is (metric.kind == "gauge")


@pytest.mark.parametrize("metric", [each for each in METRICS if each.kind != "gauge"], ids=lambda each: each.path)
def test_a_counter_s_name_is_short_enough_for_opentelemetry_in_airflow_2(metric: Metric) -> None:
    # It drops a longer one, with an exception. It only cuts the name of a gauge.
    longest = {"api": max(APIS, key=len), "state": max(TaskState, key=len), "outcome": "refused"}
    name = metric.name({tag: longest.get(tag, "any") for tag in (*metric.parts, *metric.tags)})
    assert len(f"airflow.{name}") <= 63


@pytest.mark.parametrize(
    ("value", "sent"), [("tencent_default", "tencent_default"), ("a:b|c#d", "a_b_c_d"), ("", "none"), (None, "none")]
)
def test_a_tag_has_only_characters_that_airflow_accepts(value: str | None, sent: str) -> None:
    assert accepted(value) == sent
