"""Only the argument ``sql`` names a file. A text that ends in .sql, .json or .sh elsewhere is a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_cloudtasks.operators import cloud_task
from airflow_cloudtasks.operators.adb import AdbSparkRunSqlOperator
from airflow_cloudtasks.operators.cloud_task import GetCloudTaskOperator, StartCloudTaskOperator
from airflow_cloudtasks.operators.dlc import DlcRunSqlOperator
from airflow_cloudtasks.operators.tencent import WeDataRunSqlOperator
from airflow_cloudtasks.sensors import alibaba as alibaba_sensors
from airflow_cloudtasks.sensors import tencent as tencent_sensors

from .every_operator import EVERYTHING, parameters_of

CLASSES = [
    *EVERYTHING,
    *(
        kind
        for module in (cloud_task, alibaba_sensors, tencent_sensors)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and name.endswith(("Operator", "Sensor"))
    ),
]
ENDINGS = (".sql", ".json", ".sh", ".yaml", ".html")


def rendered(folder: Path, kind: Any, **arguments: Any) -> Any:
    """Return an operator whose templates Airflow has rendered."""
    given = {"start_date": None, "schedule": None, "template_searchpath": str(folder)}
    native = arguments.pop("native", False)
    with DAG(dag_id="files", render_template_as_native_obj=native, **given):
        operator = kind(task_id="task", **arguments)
    operator.render_template_fields({"ds": "2026-01-31"})
    return operator


def sql_parameters(folder: Path, **arguments: Any) -> Any:
    return rendered(folder, WeDataRunSqlOperator, project_id="p", datasource_id="7", **arguments).parameters


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("name", ["count.sql", "sub/count it's.sql"])
def test_sql_may_name_a_file_whose_templates_are_rendered(tmp_path: Path, name: str, native: bool) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("SELECT count(*) FROM t\nWHERE day = '{{ ds }}';\n")
    text = sql_parameters(tmp_path, sql=name, native=native)["ScriptContent"]
    assert text == "SELECT count(*) FROM t\nWHERE day = '2026-01-31';"


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [(DlcRunSqlOperator, {}), (AdbSparkRunSqlOperator, {"db_cluster_id": "amv-1", "resource_group_name": "jobs"})],
)
def test_sql_of_every_operator_may_name_a_file(tmp_path: Path, kind: Any, arguments: dict[str, str]) -> None:
    (tmp_path / "count.sql").write_text("SELECT '{{ ds }}'")
    operator = rendered(tmp_path, kind, sql="count.sql", **arguments)
    assert "SELECT '2026-01-31'" in str(parameters_of(operator))


def test_sql_may_be_text(tmp_path: Path) -> None:
    assert sql_parameters(tmp_path, sql="SELECT '{{ ds }}';")["ScriptContent"] == "SELECT '2026-01-31';"


@pytest.mark.parametrize("ending", ENDINGS)
def test_other_arguments_of_a_sql_run_name_no_file(tmp_path: Path, ending: str) -> None:
    path = f"cosn://bucket/{{{{ ds }}}}/orders{ending}"
    read = sql_parameters(tmp_path, sql="SELECT 1;", variables={"f": path}, run_params={"x": [path]}, script_id=path)
    expected = f"cosn://bucket/2026-01-31/orders{ending}"
    assert read["ScriptConfig"]["Params"] == {"f": expected}
    assert (read["Params"], read["ScriptId"]) == ({"x": [expected]}, expected)


@pytest.mark.parametrize("ending", ENDINGS)
def test_arguments_of_other_operators_name_no_file(tmp_path: Path, ending: str) -> None:
    path = f"{{{{ ds }}}}{ending}"
    started = rendered(tmp_path, StartCloudTaskOperator, api="bdrc.task", parameters={"ResourceType": path})
    assert started.parameters == {"ResourceType": f"2026-01-31{ending}"}
    read = rendered(tmp_path, GetCloudTaskOperator, api="bdrc.task", cloud_task_id=path, region=path)
    assert (read.cloud_task_id, read.region) == (f"2026-01-31{ending}",) * 2


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_no_operator_takes_every_text_for_a_file(kind: Any) -> None:
    assert tuple(kind.template_ext) == ()
