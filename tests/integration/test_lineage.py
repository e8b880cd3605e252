"""What OpenLineage's provider is told: in events that it has really sent, and with and without the provider."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.listeners.listener import get_listener_manager

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.lineage.facets import TASKS_FACET, lineage_of
from airflow_cloudtasks.lineage.statement import Statement
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.operators.dlc import DlcRunSqlOperator
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor

NAMESPACE = "dlc://dlc.ap-guangzhou.tencentcloudapi.com"
INPUTS = ["DataLakeCatalog.ods.orders", "DataLakeCatalog.shop.customers"]
OUTPUTS = ["DataLakeCatalog.dw.daily"]
SERVICE = APIS["dlc.task"].service
TASK = CloudTask(api="dlc.task", cloud="tencent", id="7", state=TaskState.FAILED, message="x" * 20_000, detail={"a": 1})

Events = dict[tuple[str, str], dict[str, Any]]

RUN = """
import sys
from running import run_dag
print(run_dag("lineage"))
"""


@pytest.fixture(scope="module")
def events(airflow_home: Any, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Events:
    """The last event of each task and kind, from a process whose Airflow sends them to a file."""
    emulator.reset()
    for end in ("succeeded", "succeeded", "failed"):
        emulator.next_running("dlc.task", 0.5, end=end, fields={"OutputMessage": "SemanticException: no table"})
    emulator.add_running("bdrc.task", "7", 60)
    emulator.finish("7", api="bdrc.task")
    file = tmp_path_factory.mktemp("lineage") / "events.jsonl"
    transport = {"type": "file", "log_file_path": str(file), "append": True}
    environment = {
        **os.environ,
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "tests",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path]),
    }
    ran = subprocess.run(
        [sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert file.is_file(), ran.stdout + ran.stderr
    sent = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {(event["job"]["name"].removeprefix("lineage."), event["eventType"]): event for event in sent}


def names(datasets: list[dict[str, Any]]) -> list[str]:
    assert {dataset["namespace"] for dataset in datasets} == {NAMESPACE}
    return sorted(dataset["name"] for dataset in datasets)


@pytest.mark.parametrize(
    ("task_id", "kind", "state"),
    [("in_worker", "COMPLETE", "succeeded"), ("in_triggerer", "COMPLETE", "succeeded"), ("failing", "FAIL", "failed")],
)
def test_event_of_a_sql_run(events: Events, task_id: str, kind: str, state: str) -> None:
    event = events[task_id, kind]
    assert (names(event["inputs"]), names(event["outputs"])) == (INPUTS, OUTPUTS)
    assert event["job"]["facets"]["sql"]["query"].startswith("INSERT INTO dw.daily SELECT")
    (task,) = event["run"]["facets"][TASKS_FACET]["tasks"]
    assert (task["api"], task["state"]) == ("dlc.task", state)
    query = event["run"]["facets"]["externalQuery"]
    assert (query["externalQueryId"], query["source"]) == (task["id"], "dlc")
    assert "detail" not in task
    if kind == "FAIL":
        assert task["message"].startswith("SemanticException: no table")
        assert "SemanticException: no table" in event["run"]["facets"]["errorMessage"]["message"]


def test_event_at_the_start_has_the_rendered_sql_and_no_task(events: Events) -> None:
    event = events["in_worker", "START"]
    assert (names(event["inputs"]), names(event["outputs"])) == (INPUTS, OUTPUTS)
    assert TASKS_FACET not in event["run"]["facets"]


def test_event_of_a_sensor_has_the_task_and_no_tables(events: Events) -> None:
    event = events["wait", "COMPLETE"]
    (task,) = event["run"]["facets"][TASKS_FACET]["tasks"]
    assert (task["api"], task["id"], task["state"]) == ("bdrc.task", "7", "succeeded")
    assert "externalQuery" not in event["run"]["facets"]
    assert not event["inputs"]
    assert not event["outputs"]


def test_events_hold_no_secret(events: Events, emulator: Emulator) -> None:
    text = json.dumps(list(events.values()))
    for connection in emulator.connections().values():
        assert json.loads(connection)["password"] not in text


def test_leaves_out_tables_whose_database_is_unknown() -> None:
    sql = "INSERT INTO dw.daily SELECT * FROM orders; INSERT INTO daily SELECT * FROM ods.orders"
    lineage: Any = lineage_of(SERVICE, Statement(sql, NAMESPACE), [], is_query=True)
    assert [dataset.name for dataset in lineage.inputs] == ["ods.orders"]
    assert [dataset.name for dataset in lineage.outputs] == ["dw.daily"]
    assert all("columnLineage" not in (dataset.facets or {}) for dataset in lineage.outputs)


def test_names_no_table_without_a_namespace() -> None:
    lineage: Any = lineage_of(SERVICE, Statement("SELECT * FROM a.b"), [], is_query=True)
    assert (lineage.inputs, lineage.outputs) == ([], [])
    assert lineage.job_facets["sql"].query == "SELECT * FROM a.b"


def test_says_what_cannot_be_parsed() -> None:
    lineage: Any = lineage_of(SERVICE, Statement("SELEC a FROM", NAMESPACE), [], is_query=True)
    assert (lineage.inputs, lineage.outputs) == ([], [])
    assert lineage.run_facets["extractionError"].failedTasks == 1


def test_parser_that_crashes_costs_only_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.openlineage import sqlparser

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("no such dialect")

    monkeypatch.setattr(sqlparser, "parse", crash)
    lineage: Any = lineage_of(SERVICE, Statement("SELECT * FROM a.b", NAMESPACE), [TASK], is_query=True)
    assert set(lineage.run_facets) == {TASKS_FACET, "externalQuery"}
    assert lineage.job_facets["sql"].query == "SELECT * FROM a.b"


def test_cuts_a_long_message() -> None:
    lineage: Any = lineage_of(SERVICE, None, [TASK], is_query=False)
    (task,) = lineage.run_facets[TASKS_FACET].tasks
    assert len(task["message"]) == 10_000
    assert set(lineage.run_facets) == {TASKS_FACET}


def test_sql_that_airflow_has_not_rendered_is_not_shown(emulator: Emulator) -> None:
    operator = DlcRunSqlOperator(task_id="run", sql="SELECT * FROM a.b WHERE day = '{{ ds }}'")
    lineage: Any = operator.get_openlineage_facets_on_start()
    assert (lineage.inputs, lineage.job_facets) == ([], {})


def test_an_unknown_connection_costs_only_the_tables() -> None:
    operator = DlcRunSqlOperator(task_id="run", sql="SELECT * FROM a.b", conn_id="no_such_connection")
    lineage: Any = operator.get_openlineage_facets_on_start()
    assert lineage.inputs == []
    assert lineage.job_facets["sql"].query == "SELECT * FROM a.b"


def test_without_the_provider_there_is_no_lineage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage", None)
    operator = DlcRunSqlOperator(task_id="run", sql="SELECT 1")
    assert operator.get_openlineage_facets_on_start() is None
    assert operator.get_openlineage_facets_on_complete(None) is None
    assert operator.get_openlineage_facets_on_failure(None) is None


def test_importing_operators_and_sensors_does_not_import_openlineage() -> None:
    program = (
        "import sys; import airflow_cloudtasks.operators.dlc, airflow_cloudtasks.sensors.cloud_task; "
        "print([name for name in sys.modules if name.startswith(('openlineage', 'airflow.providers.openlineage.sql'))])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert ran.stdout.strip().endswith("[]")


# --- a listener and end_from_trigger ---


@pytest.fixture
def listener(airflow_home: Any) -> Iterator[None]:
    manager = get_listener_manager()
    manager.add_listener(sys.modules[__name__])
    yield
    manager.clear()


DAG_FILE = """
from airflow.providers.common.compat.sdk import DAG
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor

with DAG(dag_id="ends", schedule=None):
    CloudTaskSensor(task_id="wait", api="bdrc.task", cloud_task_id="7", end_from_trigger=True)
    CloudTaskSensor.partial(task_id="waits", api="bdrc.task", end_from_trigger=True).expand(cloud_task_id=["7", "8"])
"""


def sensor_in_dag_file(folder: Path) -> tuple[Any, list[str]]:
    """Return the sensor as Airflow reads it from a DAG file, and the warnings."""
    from running import DagBag

    (folder / "ends.py").write_text(DAG_FILE, encoding="utf-8")
    bag = DagBag(str(folder))
    assert not bag.import_errors, bag.import_errors
    seen = [warning for warnings in bag.captured_warnings.values() for warning in warnings]
    return bag.dags["ends"].get_task("wait"), [each for each in seen if "end_from_trigger" in each]


def test_a_wait_ends_on_a_worker_if_there_is_a_listener(listener: None, tmp_path: Path) -> None:
    wait, warned = sensor_in_dag_file(tmp_path)
    assert wait.end_from_trigger is False
    assert wait.deferrable is True
    assert len(warned) == 1
    assert "wait: the wait ends on a worker despite end_from_trigger" in warned[0]


def test_a_wait_ends_in_the_triggerer_if_there_is_none(airflow_home: Any, tmp_path: Path) -> None:
    wait, warned = sensor_in_dag_file(tmp_path)
    assert wait.end_from_trigger is True
    assert warned == []


def test_a_sensor_without_end_from_trigger_asks_for_no_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_cloudtasks.sensors.cloud_task.has_listeners", lambda: 1 / 0)
    assert CloudTaskSensor(task_id="wait", api="bdrc.task", cloud_task_id="7").end_from_trigger is False
