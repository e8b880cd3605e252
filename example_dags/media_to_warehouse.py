"""A pipeline across platforms: made in Airflow, transcoded at Alibaba Cloud, loaded and checked at Tencent Cloud.

Each operator starts its task, waits for it in the triggerer, and hands on what came of it. Kill one, and the cloud's
task is canceled; let a worker die, and the next try goes on with the task that the first has started.

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
        """The local step. In real life: look what came in, and say what is to be done with it."""
        return {"Type": "Media", "Media": (params or {})["media"]}

    transcoded = IceStartWorkflowOperator(
        task_id="transcode", workflow_id="{{ params.transcoding }}", task_input=pick()
    )

    loaded = WeDataRunWorkflowOperator(
        task_id="load",
        project_id="{{ params.project }}",
        workflow_id="{{ params.loading }}",
        # What one cloud returned is a parameter of the next.
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
        """Rows are a list of dicts; WeData tells every value as text."""
        loaded_today = sum(int(row["orders"] or 0) for row in rows)
        if not loaded_today:
            raise ValueError(f"The run has loaded nothing: {rows}")
        return loaded_today

    protected = BdrcCheckRulesOperator(task_id="check_backups", resource_arn="{{ params.bucket }}")

    loaded >> counted
    check(counted.output["rows"]) >> protected
