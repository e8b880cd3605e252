"""Generates the Grafana dashboard, the Prometheus alerts and the mapping of statsd_exporter from the list of metrics.

`make docs-tables` writes them to docs/reference, and `make lint` checks that they are current. Panels and alerts are
data here. Each query names metrics by :func:`series`: a query of a metric that does not exist cannot be written.

The name of a time series holds the API: ``airflow_cloudtasks_polls_wedata_task``, with ``_total`` at the end if it came
by OpenTelemetry. So queries match names by a pattern and group by the label ``api``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_cloudtasks.metrics import known
from airflow_cloudtasks.metrics.known import METRICS, PREFIX, Metric

TITLE = "Cloud tasks"
UID = "airflow-cloudtasks"
# Labels that the dashboard's variables select, with the variables' labels.
VARIABLES = {"conn_id": "Connection", "region": "Region", "api": "API"}
CHOSEN = [f'{label}=~"${label}"' for label in VARIABLES]
WIDTH, HEIGHT, STAT_HEIGHT = 24, 8, 4
GREEN, YELLOW, RED = "green", "#EAB839", "red"
STATE_COLORS = {
    "succeeded": GREEN,
    "failed": RED,
    "canceled": "orange",
    "expired": "purple",
    "started": GREEN,
    "found": "blue",
    "refused": "orange",
    "unknown": RED,
}
# Longer than the minute between two reports of a gauge: those of a triggerer that has gone disappear then.
GAUGE_TTL = "3m"


def series(metric: Metric, *matchers: str, suffix: str = "") -> str:
    """Return the selector of a metric's time series, in whichever way they came.

    Args:
        metric: The metric.
        *matchers: Further conditions on labels.
        suffix: The end of the name.
    """
    name = f'__name__=~"{prometheus_path(metric)}_.+{suffix}"'
    return f"{{{', '.join([name, *CHOSEN, *matchers])}}}"


def prometheus_path(metric: Metric) -> str:
    """Return the beginning of the names of a metric's time series."""
    return f"{PREFIX}_{metric.path.replace('.', '_')}"


@dataclass(frozen=True)
class Panel:
    """A panel.

    Args:
        title: Its title.
        about: What it shows and what to do about it.
        queries: PromQL by the legend of its lines.
        unit: Grafana's unit.
        width: Columns, of 24.
        kind: Grafana's type of panel.
        steps: Values from which the lines have another color.
        stacked: Whether the lines are bars upon each other.
        largest: The largest value of the axis; None for that of the data.
        colors: Whether lines have the color of the state or outcome that they are named for.
    """

    title: str
    about: str
    queries: Mapping[str, str]
    unit: str = "short"
    width: int = WIDTH // 2
    kind: str = "timeseries"
    steps: Mapping[float, str] = field(default_factory=dict)
    stacked: bool = False
    largest: float | None = None
    colors: bool = False


BY_API = "{{api}} {{conn_id}}"
BY_ACTION = "{{action}} {{conn_id}} {{region}}"


def by_api(gauge: Metric) -> str:
    """Return the sum of a gauge over all triggerers."""
    return f"sum by (api, conn_id) ({series(gauge)})"


def rate(metric: Metric, *matchers: str) -> str:
    """Return the increase a second of a counter."""
    return f"rate({series(metric, *matchers)}[$__rate_interval])"


def grown(metric: Metric, *matchers: str, over: str, by: str = "") -> str:
    """Return the increase of a counter, which for a new time series is its value.

    Prometheus sees no increase from nothing to one, and some of these counters may never rise further.
    """
    of = series(metric, *matchers)
    return f"sum{by} ((increase({of}[{over}]) and {of} offset {over}) or {of})"


def shown(metric: Metric, *matchers: str) -> str:
    """Return the increase of a counter over the time shown."""
    return f"{grown(metric, *matchers, over='$__range')} or vector(0)"


def any_of(metric: Metric, *matchers: str, by: str) -> str:
    """Return what has a result if a counter has risen in the last ten minutes."""
    return f"{grown(metric, *matchers, over='10m', by=f' by ({by})')} > 0"


def lag(quantile: float, by: str) -> str:
    """Return a quantile of the lag in seconds: of a summary of statsd_exporter, or of a histogram by OpenTelemetry."""
    of_summary = f'quantile="{quantile:g}"'
    summary = f"max by ({by}) ({series(known.NOTICED, of_summary)})"
    histogram = f"sum by ({by}) (rate({series(known.NOTICED, suffix='_milliseconds')}[$__rate_interval]))"
    return f"{summary} or histogram_quantile({quantile:g}, {histogram}) / 1000"


LATE = {0.0: GREEN, 30.0: YELLOW, 120.0: RED}
FULL = {0.0: GREEN, 0.8: YELLOW, 0.95: RED}
REFUSED = {0.0: GREEN, 0.05: YELLOW, 0.1: RED}
NONE_IS_GOOD = {0.0: GREEN, 1.0: RED}
UNKNOWN = 'outcome="unknown"'
KEY_ERRORS = 'error=~"Credentials.+|PermissionDenied"'

PANELS = (
    Panel(
        "Waits",
        "Waits at present, of all triggerers.",
        {"waits": f"sum ({series(known.WAITING)})"},
        kind="stat",
        width=4,
        steps={0.0: "blue"},
    ),
    Panel(
        "Lag, 99%",
        "99% of the ends were noticed within this time. Longer than the poll interval: the budget is too small.",
        {"lag": f"max ({lag(0.99, 'api, conn_id')})"},
        unit="s",
        kind="stat",
        width=4,
        steps=LATE,
    ),
    Panel(
        "Allowance used",
        "The fullest allowance. Near 100%, waits queue for requests, and the lag grows.",
        {"used": f"max (sum by (conn_id, region, api, action) ({series(known.USED)}))"},
        unit="percentunit",
        kind="stat",
        width=4,
        steps=FULL,
    ),
    Panel(
        "Throttled",
        "Share of the requests that were refused for being too many.",
        {"throttled": f"sum ({rate(known.THROTTLES)}) / sum ({rate(known.POLLS)})"},
        unit="percentunit",
        kind="stat",
        width=4,
        steps=REFUSED,
    ),
    Panel(
        "Tasks that failed",
        "Tasks that ended in the time shown, but not in success.",
        {"failed": shown(known.ENDED, 'state!~"succeeded|skipped"')},
        kind="stat",
        width=4,
        steps={0.0: GREEN, 1.0: YELLOW},
    ),
    Panel(
        "Starts unknown",
        "Starts in the time shown of which nobody can tell whether they started a task. Look them up in the console.",
        {"unknown": shown(known.STARTS, UNKNOWN)},
        kind="stat",
        width=4,
        steps=NONE_IS_GOOD,
    ),
    Panel(
        "Waits by API",
        "Waits at present.",
        {BY_API: by_api(known.WAITING)},
    ),
    Panel(
        "Ends by state",
        "Tasks a minute whose end was noticed and ended a wait.",
        {"{{state}}": f"60 * sum by (state) ({rate(known.ENDED)})"},
        stacked=True,
        colors=True,
    ),
    Panel(
        "Lag from end to notice",
        "From a task's end, as the vendor says it, to the poll that noticed it.",
        {
            f"median, {BY_API}": lag(0.5, "api, conn_id"),
            f"99%, {BY_API}": lag(0.99, "api, conn_id"),
        },
        unit="s",
    ),
    Panel(
        "Share of the allowance used",
        "Requests as a share of what the account may send, by action. At 100%, waits queue for requests.",
        {BY_ACTION: f"sum by (conn_id, region, action) ({series(known.USED)})"},
        unit="percentunit",
        largest=1.0,
    ),
    Panel(
        "Budget and allowance",
        "Requests a second that triggerers may send at present, and the most that the account allows for an action.",
        {
            f"budget {BY_ACTION}": f"sum by (conn_id, region, action) ({series(known.BUDGET)})",
            "allowance {{conn_id}} {{region}}": f"max by (conn_id, region) ({series(known.ALLOWANCE)})",
        },
        unit="reqps",
    ),
    Panel(
        "Requests and throttles",
        "Requests a second, and those of them that were refused for being too many. If they keep being refused, lower "
        "requests_per_second in the connection.",
        {
            "requests {{conn_id}} {{region}}": f"sum by (conn_id, region) ({rate(known.POLLS)})",
            "throttled {{conn_id}} {{region}}": f"sum by (conn_id, region) ({rate(known.THROTTLES)})",
        },
        unit="reqps",
    ),
    Panel(
        "Feeds",
        "Lists ordered by end, of which one page a second tells of every end. While one is ill, its tasks are polled.",
        {
            "read {{api}} {{conn_id}}": by_api(known.FEEDS_FOLLOWED),
            "well {{api}} {{conn_id}}": by_api(known.FEEDS_HEALTHY),
        },
    ),
    Panel(
        "Ends told and missed by feeds",
        "Ends a minute that feeds told, that they did not tell, and failed looks at feeds.",
        {
            f"told {BY_API}": f"60 * sum by (api, conn_id) ({rate(known.FEED_TOLD)})",
            f"missed {BY_API}": f"60 * sum by (api, conn_id) ({rate(known.FEED_MISSED)})",
            f"failed looks {BY_API}": f"60 * sum by (api, conn_id) ({rate(known.FEED_FAILED)})",
        },
    ),
    Panel(
        "Doorbells",
        "Whether queues that push ends tell them in time: 1, or 0 while the tasks are polled instead.",
        {BY_API: f"min by (api, conn_id) ({series(known.DOORBELL_HEALTHY)})"},
        largest=1.0,
    ),
    Panel(
        "Messages of queues",
        "Messages a minute, by what became of them; ends without a message; and requests that failed.",
        {
            label: f"60 * sum ({rate(metric)})"
            for label, metric in (
                ("for waits", known.DOORBELL_RUNG),
                ("for others", known.DOORBELL_OTHERS),
                ("unreadable", known.DOORBELL_JUNK),
                ("missed", known.DOORBELL_MISSED),
                ("failed requests", known.DOORBELL_FAILED),
            )
        },
    ),
    Panel(
        "Failed requests",
        "Requests a minute that failed in another way. Waits go on; CredentialsError and PermissionDenied need you.",
        {"{{error}} {{api}} {{conn_id}}": f"60 * sum by (error, api, conn_id) ({rate(known.ERRORS)})"},
        stacked=True,
    ),
    Panel(
        "Starts by outcome",
        "Tries to start a task, a minute. found: the task of an earlier request. refused: nothing was started. "
        "unknown: a task may have been started.",
        {"{{outcome}}": f"60 * sum by (outcome) ({rate(known.STARTS)})"},
        stacked=True,
        colors=True,
    ),
)
# Metrics that no panel shows, each with the reason.
NOT_SHOWN: dict[Metric, str] = {}


@dataclass(frozen=True)
class Alarm:
    """A condition to alarm on.

    Args:
        name: The name of the alert.
        title: What is wrong.
        query: PromQL that has a result while it is wrong.
        lasting: How long it has to last.
        todo: What to do.
    """

    name: str
    title: str
    query: str
    lasting: str
    todo: str


def ratio(above: Metric, below: Metric, by: str) -> str:
    """Return the increase of a counter as a share of another's."""
    return f"sum by ({by}) ({rate(above)}) / sum by ({by}) ({rate(below)})"


ALARMS = (
    Alarm(
        "CloudTasksNoticedLate",
        "1% of the ends are noticed more than two minutes late",
        f"({lag(0.99, 'api, conn_id')}) > 120",
        "10m",
        "The allowance is used up, or `poke_interval` is long: see [Scale](scale.md).",
    ),
    Alarm(
        "CloudTasksThrottled",
        "More than 10% of the requests are refused for being too many",
        f"{ratio(known.THROTTLES, known.POLLS, 'conn_id, region')} > 0.1",
        "10m",
        "Lower `requests_per_second` in the connection, or find who else uses the account.",
    ),
    Alarm(
        "CloudTasksAllowanceUsedUp",
        "More than 95% of an allowance is used",
        f"sum by (conn_id, region, action) ({series(known.USED)}) > 0.95",
        "15m",
        "Lengthen `poke_interval`, or ask the vendor for a larger quota and raise `requests_per_second`.",
    ),
    Alarm(
        "CloudTasksFeedIll",
        "A feed fails or tells ends late, so that its tasks are polled",
        f"{by_api(known.FEEDS_FOLLOWED)} > {by_api(known.FEEDS_HEALTHY)}",
        "10m",
        "Nothing is lost, but ends are noticed only by polls. The triggerer's log has the reason.",
    ),
    Alarm(
        "CloudTasksDoorbellIll",
        "A queue fails or tells ends late, so that its tasks are polled",
        f"min by (api, conn_id) ({series(known.DOORBELL_HEALTHY)}) == 0",
        "10m",
        "Nothing is lost, but ends are noticed only by polls. The triggerer's log has the reason.",
    ),
    Alarm(
        "CloudTasksKeyRefused",
        "The cloud refuses the key",
        any_of(known.ERRORS, KEY_ERRORS, by="conn_id, error"),
        "1m",
        "Renew the key, or grant the permission: see [Check](check.md).",
    ),
    Alarm(
        "CloudTasksStartUnknown",
        "Nobody can tell whether a start has started a task",
        any_of(known.STARTS, UNKNOWN, by="api, conn_id"),
        "0m",
        "Look the task up in the vendor's console: see [Starting](../explanation/starting.md).",
    ),
)


def alerts() -> str:
    """Return the alerts as Prometheus reads them."""
    lines = ["# For Prometheus: rule_files.", "groups:", "  - name: airflow-cloudtasks", "    rules:"]
    for alarm in ALARMS:
        query = alarm.query.replace("$__rate_interval", "5m")
        for chosen in CHOSEN:
            query = query.replace(f", {chosen}", "")
        lines += [
            f"      - alert: {alarm.name}",
            f"        expr: {json.dumps(query)}",
            f"        for: {alarm.lasting}",
            f"        annotations: {{summary: {json.dumps(alarm.title + '.')}}}",
        ]
    return "\n".join(lines) + "\n"


def dashboard() -> str:
    """Return the dashboard as Grafana imports it."""
    panels = [_panel(panel, place, number) for number, (panel, place) in enumerate(_placed(), 1)]
    model = {
        "uid": UID,
        "title": TITLE,
        "description": "Waits on and starts of tasks of Alibaba Cloud and Tencent Cloud.",
        "tags": ["airflow"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_data_source(), *(_variable(*each) for each in VARIABLES.items())]},
        "panels": panels,
    }
    return json.dumps(model, indent=2) + "\n"


def _placed() -> Iterator[tuple[Panel, dict[str, int]]]:
    left = top = 0
    for panel in PANELS:
        height = STAT_HEIGHT if panel.kind == "stat" else HEIGHT
        yield panel, {"x": left, "y": top, "w": panel.width, "h": height}
        left += panel.width
        if left >= WIDTH:
            left, top = 0, top + height


_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def _data_source() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(label: str, title: str) -> dict[str, Any]:
    query = f'label_values({{__name__=~"{PREFIX}_cloudtasks_.+"}}, {label})'
    return {
        "name": label,
        "label": title,
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": label},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        # Also what has no such label: without tags, StatsD tells no connection.
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panel(panel: Panel, place: dict[str, int], number: int) -> dict[str, Any]:
    is_stat = panel.kind == "stat"
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)},
        "options": _STAT_OPTIONS if is_stat else _LINE_OPTIONS,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": query,
                "legendFormat": legend,
                "editorMode": "code",
                "range": True,
            }
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }


_STAT_OPTIONS = {
    "colorMode": "value",
    "graphMode": "area",
    "textMode": "value",
    "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
}
_LINE_OPTIONS = {
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
    "tooltip": {"mode": "multi", "sort": "desc"},
}


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.largest is not None:
        defaults["max"] = panel.largest
    if panel.kind == "stat":
        steps = [{"color": color, "value": value or None} for value, color in panel.steps.items()]
        return defaults | {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": steps}}
    custom = {
        "drawStyle": "bars" if panel.stacked else "line",
        "fillOpacity": 80 if panel.stacked else 10,
        "lineWidth": 0 if panel.stacked else 2,
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        # Gauges come once a minute.
        "spanNulls": 120000,
        "showPoints": "never",
    }
    return defaults | {"color": {"mode": "palette-classic"}, "custom": custom}


def _overrides(panel: Panel) -> list[dict[str, Any]]:
    return [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}],
        }
        for name, color in STATE_COLORS.items()
        if panel.colors
    ]


def mapping() -> str:
    """Return the mapping of statsd_exporter: labels from the parts of the name, and an end for gauges of the gone."""
    lines = [
        "# For statsd_exporter: --statsd.mapping-config, or statsd.extraMappings of Airflow's Helm chart.",
        "# It reads labels from the names, which StatsD without tags has only there, and lets gauges of triggerers",
        "# that have gone disappear.",
        "mappings:",
    ]
    for metric in METRICS:
        # The last parts have no dot. The API's name has.
        parts = [r"(.+)", *(r"([^.]+)" for _ in metric.parts[1:])]
        pattern = r"\.".join([PREFIX, *metric.path.split("."), *parts])
        groups = [f"${{{number}}}" for number in range(1, len(parts) + 1)]
        lines += [
            f"  - match: '^{pattern}$'",
            "    match_type: regex",
            f"    name: {'_'.join([prometheus_path(metric), *groups])}",
            *([f"    ttl: {GAUGE_TTL}"] if metric.kind == "gauge" else []),
            "    labels:",
            *(f"      {part}: {group}" for part, group in zip(metric.parts, groups, strict=True)),
        ]
    return "\n".join(lines) + "\n"
