"""The metrics as they reach StatsD, Datadog and OpenTelemetry, sent by Airflow's own clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from threading import Thread
from typing import Any

import pytest
from airflow_metrics import HAS_TWO, airflow_metrics
from statsd_listener import StatsdListener, statsd_listener

from airflow_cloudtasks.metrics import send
from airflow_cloudtasks.metrics.known import METRICS, NOTICED, STARTS, WAITING, Metric
from airflow_cloudtasks.metrics.send import TRIGGERER, WORKER
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION, IS_AIRFLOW_2, STATS_OF_TRIGGERER, STATS_OF_WORKER

# The modules that set up the metrics of the two kinds of processes, and send Airflow's own there.
TRIGGERER_MODULE = "airflow.jobs.triggerer_job_runner"
WORKER_MODULE = "airflow.models.taskinstance" if AIRFLOW_VERSION < (3, 1) else "airflow.sdk.execution_time.task_runner"
VALUES: dict[str, str | None] = {
    "api": "wedata.task_instance",
    "action": "GetTaskInstance",
    "state": "succeeded",
    "outcome": "started",
    "error": "TransientError",
    "conn_id": "tencent_default",
    "region": "ap-guangzhou",
    "hostname": "triggerer-0",
}
SECONDS = 1.5
# Older Airflow cuts gauges so, and drops other metrics that are longer; test_dashboard.py holds that none is.
OTEL_CHARACTERS = 63 if IS_AIRFLOW_2 else 255


def send_each() -> None:
    """Send every metric once, as the process does that has it."""
    for metric in METRICS:
        sender = WORKER if metric is STARTS else TRIGGERER
        values = {tag: VALUES.get(tag, "any") for tag in (*metric.parts, *metric.tags)}
        match metric.kind:
            case "counter":
                sender.count(metric, values)
            case "gauge":
                sender.set(metric, 7, values)
            case "timer":
                sender.time(metric, SECONDS, values)


def name_of(metric: Metric) -> str:
    """Return the name that the documentation gives, filled in, with Airflow's prefix."""
    return ".".join(["airflow", metric.path, *(VALUES.get(part) or "any" for part in metric.parts)])


def otel_name_of(metric: Metric) -> str:
    """Return its name as OpenTelemetry has it: its SDK makes it lower-case, and Airflow may cut it."""
    return name_of(metric).lower()[: OTEL_CHARACTERS if metric.kind == "gauge" else None]


def tags_of(metric: Metric) -> dict[str, str]:
    return {tag: VALUES.get(tag) or "any" for tag in (*metric.parts, *metric.tags)}


@pytest.fixture
def statsd(monkeypatch: pytest.MonkeyPatch) -> Iterator[StatsdListener]:
    with statsd_listener() as listener:
        for name, value in listener.environment.items():
            monkeypatch.setenv(name, value)
        yield listener


def lines_of(statsd: StatsdListener, backend: str) -> list[str]:
    with airflow_metrics("triggerer", backend), airflow_metrics("worker", backend):
        send_each()
    return statsd.drain()


@pytest.mark.parametrize(("module", "ours"), [(TRIGGERER_MODULE, STATS_OF_TRIGGERER), (WORKER_MODULE, STATS_OF_WORKER)])
def test_metrics_go_through_the_class_by_which_airflow_sends_its_own(module: str, ours: str) -> None:
    names = vars(import_module(module))
    theirs = names["Stats"] if "Stats" in names else names["stats"].Stats
    assert import_module(ours).Stats is theirs


SENT_AS = {"counter": "1|c", "gauge": "7|g", "timer": f"{SECONDS * 1000:.6f}|ms"}


@pytest.mark.parametrize("has_tags", [True, False], ids=["tags", "plain"])
def test_statsd_gets_the_documented_names_and_tags(
    statsd: StatsdListener, monkeypatch: pytest.MonkeyPatch, has_tags: bool
) -> None:
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED", str(has_tags))
    expected = [
        ",".join([name_of(metric), *(f"{tag}={value}" for tag, value in tags_of(metric).items() if has_tags)])
        + f":{SENT_AS[metric.kind]}"
        for metric in METRICS
    ]
    assert lines_of(statsd, "statsd") == expected


def test_datadog_gets_the_documented_names_and_tags(statsd: StatsdListener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_DATADOG_ENABLED", "True")
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_DATADOG_METRICS_TAGS", "True")
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED", "False")
    monkeypatch.setenv("DD_DOGSTATSD_DISABLE", "False")
    sent = {}
    for line in lines_of(statsd, "datadog"):
        if line.startswith("airflow."):
            name, value = re.split(r"[:|]", line.partition("|#")[0], maxsplit=1)
            sent[name] = (value, line.partition("|#")[2].partition("|")[0])
    assert sent.keys() == {name_of(metric) for metric in METRICS}
    for metric in METRICS:
        value, tags = sent[name_of(metric)]
        assert value.split("|")[1] == {"counter": "c", "gauge": "g", "timer": "ms"}[metric.kind]
        assert dict(tag.split(":") for tag in tags.split(",")).items() >= tags_of(metric).items()


@pytest.fixture
def otlp(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """An OTLP receiver over HTTP: the bodies that it got."""
    bodies: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/metrics"
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base class's name
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("AIRFLOW__METRICS__OTEL_ON", "True")
        monkeypatch.setenv("AIRFLOW__METRICS__OTEL_HOST", "127.0.0.1")
        monkeypatch.setenv("AIRFLOW__METRICS__OTEL_PORT", str(server.server_port))
        monkeypatch.setenv("AIRFLOW__METRICS__OTEL_INTERVAL_MILLISECONDS", "3600000")
        yield bodies
        server.shutdown()
        thread.join()


def test_opentelemetry_gets_the_documented_names_and_attributes(otlp: list[bytes]) -> None:
    from opentelemetry import metrics
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    found: dict[str, Any] = {}
    for process in ("triggerer", "worker") if HAS_TWO else ("triggerer",):
        with airflow_metrics(process, "otel"):
            send_each()
            provider: Any = metrics.get_meter_provider()
            provider.force_flush()
            provider.shutdown()
    for body in otlp:
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                found |= {metric.name: metric for metric in scope.metrics}
    ours = {name: metric for name, metric in found.items() if "cloudtasks" in name}
    names = {metric: otel_name_of(metric) for metric in METRICS}
    assert ours.keys() == set(names.values())
    for metric in METRICS:
        sent = ours[names[metric]]
        kind = sent.WhichOneof("data")
        [point] = getattr(sent, kind).data_points
        assert {each.key: each.value.string_value for each in point.attributes} == tags_of(metric)
        if metric.kind == "timer" and AIRFLOW_VERSION >= (3, 3):
            assert (kind, sent.unit, point.sum) == ("exponential_histogram", "ms", SECONDS * 1000)
        else:
            assert kind == ("sum" if metric.kind == "counter" else "gauge")
            assert point.as_double == (SECONDS * 1000 if metric is NOTICED else point.as_double)


def test_a_connection_id_with_other_characters_still_sends_metrics(statsd: StatsdListener) -> None:
    with airflow_metrics("triggerer", "statsd"):
        TRIGGERER.set(WAITING, 1, VALUES | {"conn_id": "team:a=b,c#d", "region": None})
    assert statsd.drain() == [
        "airflow.cloudtasks.waiting.wedata.task_instance,api=wedata.task_instance,conn_id=team_a_b_c_d,region=none,"
        "hostname=triggerer-0:1|g"
    ]


def test_a_client_that_fails_breaks_nothing_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        @staticmethod
        def incr(name: str, count: int, tags: Any) -> None:
            raise OSError("no route to host")

    sender = send.Sender("airflow.stats")
    monkeypatch.setattr(sender, "_stats", Broken)
    for _ in range(3):
        sender.count(STARTS, VALUES)
    [line] = [record.getMessage() for record in caplog.records]
    assert line == "The metric cloudtasks.starts cannot be sent: OSError: no route to host"
