"""A wait of each kind, a read and a SQL run with too many rows, and one task that takes parts of their results."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import DAG, chain, task

from airflow_cloudtasks.operators.cloud_task import GetCloudTaskOperator
from airflow_cloudtasks.operators.tencent import WeDataRunSqlOperator
from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION, START_FROM_TRIGGER_SINCE

PARTS = ("id", "console_url", "started_at", "detail")
WAITS: dict[str, dict[str, bool]] = {
    "poke": {},
    "deferrable": {"deferrable": True},
    "end_from_trigger": {"end_from_trigger": True},
}
if AIRFLOW_VERSION >= START_FROM_TRIGGER_SINCE:
    WAITS["start_from_trigger"] = {"start_from_trigger": True}
    WAITS["both"] = {"start_from_trigger": True, "end_from_trigger": True}

with DAG(dag_id="outputs", schedule=None):
    # As one value: Airflow 3.0 refuses None as the value of an XCom, and the list has no parts.
    @task(multiple_outputs=False)
    def use(parts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return parts

    waits: dict[str, Any] = {
        name: BdrcTaskSensor(task_id=name, cloud_task_id=name, poke_interval=0.2, timeout=30, **how)
        for name, how in WAITS.items()
    }
    waits["read"] = GetCloudTaskOperator(task_id="read", api="bdrc.task", cloud_task_id="read")
    sql = WeDataRunSqlOperator(
        task_id="sql", project_id="p", datasource_id="7", sql="SELECT 1;", max_rows=1, poke_interval=0.2, timeout=30
    )

    @task
    def ids() -> list[str]:
        return ["read", "poke"]

    listed: Any = BdrcTaskSensor(task_id="listed", cloud_task_id=ids(), timeout=30)
    waits["read"] >> listed
    # One after the other, so that each of them finds its task running.
    chain(*waits.values())
    taken = {name: {part: wait.output[part] for part in PARTS} for name, wait in waits.items()}
    use(
        taken
        | {"sql": {"rows": sql.output["rows"], "started_at": sql.output["started_at"]}, "listed": listed.output["id"]}
    )
