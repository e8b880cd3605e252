"""The DAGs of no_worker.py: the same waits without a worker, and with workers. The environment sets their number."""

from __future__ import annotations

import os

from airflow.providers.common.compat.sdk import DAG

from airflow_cloudtasks.sensors.tencent import LkeTaskSensor

WAITS = int(os.environ.get("NO_WORKER_WAITS", "100"))
DAGS = {
    "no_worker": {"start_from_trigger": True, "end_from_trigger": True},
    "deferrable": {"deferrable": True},
}

for dag_id, how in DAGS.items():
    with DAG(dag_id, schedule=None, max_active_tasks=WAITS) as dag:
        # Not mapped: Airflow starts no mapped task in the triggerer.
        for number in range(WAITS):
            LkeTaskSensor(
                task_id=f"wait_{number}",
                cloud_task_id=f"{{{{ dag.dag_id }}}}-{number}",
                task_type="ExportAttributeLabel",
                bot_biz_id="1",
                poke_interval=5,
                timeout=3600,
                retries=0,
                **how,
            )
    globals()[dag_id] = dag
