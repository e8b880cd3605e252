"""Transcode a video at Alibaba Cloud, then load and check data at Tencent Cloud.

Each operator starts its task, waits for it in the triggerer, and passes its result on. If the user kills an Airflow
task, the cloud task is canceled. If a worker dies, the next try continues with the task that the first try started.

`make demo` runs it against the emulator.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_cloudtasks.operators.alibaba import BdrcCheckRulesOperator, IceStartWorkflowOperator
from airflow_cloudtasks.operators.tencent import WeDataRunSqlOperator, WeDataRunWorkflowOperator

with DAG(
    dag_id="media_to_warehouse",
    schedule=None,
    params={
        "media": "****30706071edbfe290b488****",
        "transcoding": "63dca94c609de02ac0d1",
        "project": "1460947878944567296",
        "loading": "7d0f2a52-9a0b-4d53-8a6e-0c1d2e3f4a5b",
        "datasource": "65619",
        "bucket": "acs:oss:cn-shanghai:1300000001:media-archive",
    },
    default_args={
        "deferrable": True,
        "poke_interval": 2,
        "timeout": 3600,
        "retries": 2,
        "retry_delay": timedelta(seconds=10),
    },
    tags=["cloudtasks"],
):

    @task
    def pick(params: dict | None = None) -> dict[str, str]:
        """Return the input of the transcoding; a real DAG would look for new files here."""
        return {"Type": "Media", "Media": (params or {})["media"]}

    transcoded = IceStartWorkflowOperator(
        task_id="transcode", workflow_id="{{ params.transcoding }}", task_input=pick()
    )

    loaded = WeDataRunWorkflowOperator(
        task_id="load",
        project_id="{{ params.project }}",
        workflow_id="{{ params.loading }}",
        # The result of one cloud's task is a parameter for the next cloud's task.
        advanced_params={"transcoding": transcoded.output["id"], "airflow_run": "{{ run_id }}"},
    )

    counted = WeDataRunSqlOperator(
        task_id="count",
        project_id="{{ params.project }}",
        datasource_id="{{ params.datasource }}",
        sql="SELECT day, count(*) AS orders FROM media.loaded GROUP BY day;",
    )

    @task
    def check(rows: list[dict]) -> int:
        """Return the sum of a column. Rows are a list of dicts; WeData returns every value as text."""
        loaded_today = sum(int(row["orders"] or 0) for row in rows)
        if not loaded_today:
            raise ValueError(f"The workflow run loaded nothing: {rows}")
        return loaded_today

    protected = BdrcCheckRulesOperator(task_id="check_backups", resource_arn="{{ params.bucket }}")

    loaded >> counted
    check(counted.output["rows"]) >> protected
