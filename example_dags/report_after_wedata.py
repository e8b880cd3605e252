"""Report on each run of a WeData workflow when it has ended, whoever started it.

No sensor waits and no worker is needed before the end: the triggerer reads which runs have ended. It needs Airflow 3,
and a connection named `wedata`.
"""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.version_compat import HAS_EVENT_TRIGGERS

PROJECT = "1460947878944567296"
WORKFLOW = "7d0f2a52-9a0b-4d53-8a6e-0c1d2e3f4a5b"

if HAS_EVENT_TRIGGERS:
    from airflow.sdk import DAG, Asset, AssetWatcher, task

    from airflow_cloudtasks.assets import CloudTaskEndedTrigger

    warehouse = Asset(
        "wedata_warehouse",
        watchers=[
            AssetWatcher(
                name="workflow_ended",
                trigger=CloudTaskEndedTrigger(
                    "wedata.workflow_run",
                    conn_id="wedata",
                    api_params={"ProjectId": PROJECT},
                    where={"WorkflowId": WORKFLOW},
                    dag_id="report_after_wedata",
                ),
            )
        ],
    )

    with DAG(dag_id="report_after_wedata", schedule=[warehouse], catchup=False, tags=["cloudtasks"]):

        @task
        def ended(triggering_asset_events: Any = None) -> list[dict[str, Any]]:
            """Return the workflow runs whose ends started this DAG run."""
            return [event.extra["payload"] for events in triggering_asset_events.values() for event in events]

        @task
        def report(runs: list[dict[str, Any]]) -> list[str]:
            """Return a line about each; a real DAG would send them."""
            return [f"{run['id']} {run['state']} at {run['finished_at']}" for run in runs]

        report(ended())
