"""A SQL run of each way to wait, one that fails, and a wait for a task that was started elsewhere."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG, chain

from airflow_cloudtasks.operators.dlc import DlcRunSqlOperator
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor

SQL = "INSERT INTO {{ 'dw' }}.daily SELECT o.id, c.name FROM ods.orders o JOIN customers c ON o.customer = c.id"

with DAG(dag_id="lineage", schedule=None):
    runs = [
        DlcRunSqlOperator(
            task_id=task_id,
            sql=SQL,
            database_name="shop",
            datasource_connection_name="DataLakeCatalog",
            max_rows=None,
            deferrable=deferrable,
            poke_interval=0.2,
            timeout=30,
            trigger_rule="all_done",
        )
        for task_id, deferrable in (("in_worker", False), ("in_triggerer", True), ("failing", False))
    ]
    wait = CloudTaskSensor(
        task_id="wait", api="bdrc.task", cloud_task_id="7", poke_interval=0.2, timeout=30, trigger_rule="all_done"
    )
    chain(*runs, wait)
