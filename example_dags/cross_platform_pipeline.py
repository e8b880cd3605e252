"""Wait on five products of two clouds, between a first and a last task that run in Airflow.

`make demo` runs it against the emulator.
"""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG, task

from airflow_cloudtasks.operators.cloud_task import GetCloudTaskOperator
from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor, BpStudioTaskSensor, IceWorkflowTaskSensor
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.sensors.tencent import LkeTaskSensor

with DAG(
    dag_id="cross_platform_pipeline",
    schedule=None,
    default_args={"poke_interval": 2, "timeout": 600},
    tags=["cloudtasks"],
):

    @task
    def prepare() -> dict[str, str]:
        """Return the ids of the day's work; a real DAG would start the work here."""
        return {"transcoding": "4215e042b3966ca5441e", "labels": "8"}

    ids = prepare()

    # These wait in the triggerer: a wait of hours occupies no worker slot.
    provisioned = BpStudioTaskSensor(task_id="environment_provisioned", cloud_task_id="2615", deferrable=True)
    transcoded = IceWorkflowTaskSensor(task_id="video_transcoded", cloud_task_id=ids["transcoding"], deferrable=True)
    published = CloudTaskSensor(
        task_id="warehouse_task_published",
        api="wedata.task",
        cloud_task_id="20250908225847483",
        api_params={"ProjectId": "2417334454903762944"},
        deferrable=True,
    )
    # These wait in a worker, which suits waits of seconds. In reschedule mode, the slot is free between two polls.
    labelled = LkeTaskSensor(
        task_id="labels_modified",
        cloud_task_id=ids["labels"],
        task_type="ModifyAttributeLabel",
        bot_biz_id="1767024172536168448",
    )
    protected = BdrcTaskSensor(task_id="backup_rules_checked", cloud_task_id="t-0004d9ctt1ii", mode="reschedule")

    # This reads the task once, without waiting.
    snapshot = GetCloudTaskOperator(
        task_id="backup_snapshot", api="bdrc.task", cloud_task_id="t-0004d9ctt1ii", trigger_rule="all_done"
    )

    @task
    def report(waits: list[dict]) -> list[str]:
        """Return one line per task: every result is a dict of the same shape, whatever the cloud."""
        return [f"{wait['api']} {wait['id']}: {wait['state']}" for wait in waits]

    ids >> [provisioned, published, protected]
    protected >> snapshot
    report([wait.output for wait in (provisioned, transcoded, published, labelled, protected)])
