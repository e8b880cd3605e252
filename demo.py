"""Runs a real Airflow DAG that waits on all five APIs of the emulator, and prints what its sensors returned.

`make demo` sets everything up and calls this.
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
DAG_ID = "cross_platform_pipeline"

# The tasks that the DAG waits on, and how each goes: seconds in a status, then the last one.
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


def main() -> int:
    """Run the demo; returns the exit status."""
    from airflow_cloudtasks.emulator.server import Emulator

    step(f"A fresh Airflow home in {HOME.relative_to(ROOT)}/")
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()
    os.environ |= {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }
    airflow("db", "migrate", log="migrate.log")

    step("Starting the emulator of both clouds, with five tasks that will take up to 15 seconds")
    with Emulator() as emulator:
        os.environ |= emulator.connections()
        for task in TASKS:
            emulator.add_task(task["api"], task["id"], script=task["script"], fields=task.get("fields"))

        step(f"Running the DAG {DAG_ID} in Airflow (its log: .demo/dag.log)")
        began = time.monotonic()
        airflow("dags", "test", DAG_ID, log="dag.log")
        took = time.monotonic() - began
        asked = [request for request in emulator.requests() if request["outcome"] == "ok"]

    results = returned_tasks()
    step(f"The DAG succeeded after {took:.0f} seconds and {len(asked)} signed requests. Its sensors returned:")
    for task_id, task in results.items():
        print(f"\n{task_id}:\n{json.dumps(task, indent=2, ensure_ascii=False)}")
    print()
    return 0 if len(results) == len(TASKS) else 1


def returned_tasks() -> dict[str, dict]:
    """Read the XComs of the DAG's sensors from Airflow's database."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        rows = session.query(XComModel).filter_by(dag_id=DAG_ID, key="return_value").all()
        values = {row.task_id: XComModel.deserialize_value(row) for row in rows}
    sensors = sorted(name for name in values if name not in ("prepare", "report", "backup_snapshot"))
    return {name: values[name] for name in sensors}


def airflow(*arguments: str, log: str) -> None:
    """Run an airflow command; if it fails, show the end of its log and stop."""
    path = HOME / log
    with path.open("w") as output:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments], stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        tail = "\n".join(path.read_text().splitlines()[-30:])
        sys.exit(f"airflow {' '.join(arguments)} failed; the end of {path.relative_to(ROOT)}:\n{tail}")


def step(text: str) -> None:
    """Say what is being done."""
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
