"""Runs two example DAGs in a real Airflow against the emulator, and prints the results of their tasks.

`make demo` sets everything up and runs this script.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent
HOME = ROOT / ".demo"
WAITS, STARTS = "cross_platform_pipeline", "media_to_warehouse"

# The tasks that the first DAG waits on. A script gives each status with its duration in seconds, and the final status.
TASKS = [
    {
        "api": "bpstudio.task",
        "id": "2615",
        "script": [{"status": "BINDING", "seconds": 6}, {"status": "FINISH "}],
        "fields": {"Name": "web environment", "ErrorMessage": ""},
    },
    {
        "api": "bdrc.task",
        "id": "t-0004d9ctt1ii",
        "script": [
            {"status": "CREATED", "seconds": 5, "fields": {"Progress": 0}},
            {"status": "RUNNING", "seconds": 5, "fields": {"Progress": 5000}},
            {"status": "COMPLETE", "fields": {"Progress": 10000}},
        ],
        "fields": {"ErrorMessage": ""},
    },
    {
        "api": "ice.workflow_task",
        "id": "4215e042b3966ca5441e",
        "script": [{"status": "Processing", "seconds": 12}, {"status": "Succeed"}],
    },
    {
        "api": "wedata.task",
        "id": "20250908225847483",
        "script": [{"status": "N", "seconds": 9}, {"status": "Y"}],
        "fields": {"ProjectId": "2417334454903762944"},
    },
    {
        "api": "lke.task",
        "id": "8",
        "script": [{"status": None, "seconds": 3}, {"status": "RUNNING", "seconds": 8}, {"status": "SUCCESS"}],
        "fields": {"TaskType": "ModifyAttributeLabel", "BotBizId": "1767024172536168448"},
    },
]


# The tasks that the second DAG starts follow the emulator's default scripts. Only the rows of its SQL are set here.
ROWS = {
    "Columns": [{"ColumnName": "day", "ColumnType": "date"}, {"ColumnName": "orders", "ColumnType": "bigint"}],
    "Rows": [{"Values": ["2026-01-01", "17"]}, {"Values": ["2026-01-02", "25"]}],
    "Total": 2,
}


def main() -> int:
    """Run the demo and return the exit status."""
    from airflow_cloudtasks.catalog import APIS
    from airflow_cloudtasks.emulator import Emulator

    products = {api.service for api in APIS.values()}
    step(f"The catalog has {len(APIS)} APIs of {len(products)} products; the demo uses a few of them")
    step(f"Setting up Airflow in {HOME.relative_to(ROOT)}/")
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()
    os.environ |= {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }
    airflow("db", "migrate", log="migrate.log")

    step("Starting the emulator of both clouds, with five tasks that end within 15 seconds")
    with Emulator() as emulator:
        os.environ |= emulator.connections()
        for task in TASKS:
            emulator.add_task(task["api"], task["id"], script=task["script"], fields=task.get("fields"))
        emulator.next_script("wedata.sql_run", ("RUNNING", 2), "SUCCESS", fields={"Results": [ROWS]})
        waited = run(WAITS, "which waits for these five tasks")
        started = run(STARTS, "which starts four tasks of three products, one after the other")
        answered = [request for request in emulator.requests() if request["outcome"] == "ok"]

    step(f"Both DAGs succeeded with {len(answered)} signed requests. Their tasks returned:")
    for task_id, task in (waited | started).items():
        print(f"\n{task_id}:\n{json.dumps(task, indent=2, ensure_ascii=False)}")
    print()
    return 0 if (len(waited), len(started)) == (len(TASKS) + 1, 4) else 1


def run(dag_id: str, description: str) -> dict[str, dict]:
    """Run a DAG to its end and return the cloud tasks that its tasks returned, by the ids of the Airflow tasks."""
    step(f"Running the DAG {dag_id}, {description} (log: .demo/{dag_id}.log)")
    began = time.monotonic()
    airflow("dags", "test", dag_id, log=f"{dag_id}.log")
    step(f"The DAG succeeded after {time.monotonic() - began:.0f} seconds")
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        rows = session.query(XComModel).filter_by(dag_id=dag_id, key="return_value").all()
        values = {row.task_id: XComModel.deserialize_value(row) for row in rows}
    return {name: value for name, value in sorted(values.items()) if isinstance(value, dict) and "api" in value}


def airflow(*arguments: str, log: str) -> None:
    """Run an Airflow command; exit with the end of its log if it fails."""
    path = HOME / log
    with path.open("w") as output:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments], stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        tail = "\n".join(path.read_text().splitlines()[-30:])
        sys.exit(f"airflow {' '.join(arguments)} failed; {path.relative_to(ROOT)} ends with:\n{tail}")


def step(text: str) -> None:
    """Print what the demo does next."""
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
