"""Five waits in the triggerer."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor, BpStudioTaskSensor, IceWorkflowTaskSensor
from airflow_cloudtasks.sensors.tencent import LkeTaskSensor, WeDataTaskSensor

with DAG(
    dag_id="five_deferrable",
    schedule=None,
    # The retries are for Airflow: on a busy machine its scheduler may read the executor's word that a sensor has
    # deferred only after the trigger has put the sensor back in the queue, and then fails it as killed from outside.
    default_args={
        "deferrable": True,
        "poke_interval": 1,
        "timeout": 300,
        "retries": 2,
        "retry_delay": timedelta(seconds=1),
    },
):
    BpStudioTaskSensor(task_id="bpstudio", cloud_task_id="five-1")
    BdrcTaskSensor(task_id="bdrc", cloud_task_id="five-2")
    IceWorkflowTaskSensor(task_id="ice", cloud_task_id="five-3")
    WeDataTaskSensor(task_id="wedata", cloud_task_id="five-4", project_id="2417334454903762944")
    LkeTaskSensor(
        task_id="lke", cloud_task_id="five-5", task_type="ExportAttributeLabel", bot_biz_id="1767024172536168448"
    )
