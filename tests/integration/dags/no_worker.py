"""One sensor for each case of a wait that begins or ends in the triggerer, and one task that reads what they return."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task
from no_worker_cases import BOTH, CAN_START, CASES, END, MAPPED, PARTS, XCOM_ARG

from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor

with DAG(
    dag_id="no_worker",
    schedule=None,
    params={
        "project": "params",
        "conn_id": "tencent_default",
        "region": "AP-GUANGZHOU",
        "task_type": "ExportAttributeLabel",
    },
    user_defined_macros={"own_name": lambda: "own"},
    default_args={"poke_interval": 1, "timeout": 600, "retry_delay": timedelta(seconds=1)},
):

    @task
    def hand_over() -> dict[str, str]:
        return {"first": "handed-over-1"}

    @task(trigger_rule="all_done")
    def kinds(returned: dict[str, Any]) -> dict[str, str]:
        """Return what a downstream task gets from each wait."""
        return {name: f"{type(value).__name__} of {len(value)}" for name, value in returned.items()}

    @task(trigger_rule="all_done")
    def parts(taken: dict[str, Any]) -> dict[str, Any]:
        """Return the parts that a downstream task gets from each wait."""
        return taken

    handed_over = hand_over()
    waits, taken = {}, {}
    for case in CASES:
        arguments = {"cloud_task_id": case.name, **case.wait}
        if arguments["cloud_task_id"] == XCOM_ARG:
            arguments["cloud_task_id"] = handed_over["first"]
        if "execution_timeout" in arguments:
            arguments["execution_timeout"] = timedelta(seconds=arguments["execution_timeout"])
        wait = case.sensor(task_id=case.name, **arguments)
        if "hand_over" in str(arguments["cloud_task_id"]):
            handed_over >> wait
        if case.ends == "success" and case.wait.get("do_xcom_push", True):
            waits[case.name] = wait.output
            if case.is_single:
                taken[case.name] = {part: wait.output[part] for part in PARTS}
    mapped = BdrcTaskSensor.partial(task_id="mapped", **(BOTH if CAN_START else END)).expand(cloud_task_id=[*MAPPED])
    mapped >> kinds(waits)
    parts(taken)
