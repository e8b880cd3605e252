"""The pytest examples of README and docs pass as they are written, with a DAG that lies in no configured folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "docs" / "how-to" / "test_dags.md")
HEAD = """
from airflow.providers.common.compat.sdk import DAG

from airflow_cloudtasks.operators.alibaba import BpStudioExecuteOperationOperator
from airflow_cloudtasks.operators.tencent import WeDataRunWorkflowOperator
from airflow_cloudtasks.sensors.alibaba import IceWorkflowTaskSensor
from airflow_cloudtasks.sensors.tencent import LkeTaskSensor

with DAG(dag_id="{name}", schedule=None, default_args={{"poke_interval": 0.5}}) as my_dag:
    {task}
"""
# The task of the DAG that each example tests.
TASKS = {
    "test_my_dag": 'IceWorkflowTaskSensor(task_id="wait", cloud_task_id="t1", end_from_trigger=True)',
    "test_the_pipeline_waits": """LkeTaskSensor(
        task_id="wait", cloud_task_id="8", task_type="ExportAttributeLabel", bot_biz_id="1", deferrable=True
    )""",
    "test_the_pipeline_starts_once": """BpStudioExecuteOperationOperator(
        task_id="start", service_type="ecs", operation="rename"
    )""",
    "test_the_pipeline_fails_when_the_load_fails": """WeDataRunWorkflowOperator(
        task_id="start", project_id="p", workflow_id="w", deferrable=True
    )""",
}
BLOCKS = [
    block for page in PAGES for block in re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
]
EXAMPLES = {
    name: block for block in BLOCKS for name in re.findall(r"^def (test_\w+)\(cloudtasks_emulator\)", block, re.M)
}


def test_every_example_has_a_dag() -> None:
    assert EXAMPLES.keys() == TASKS.keys()


@pytest.mark.parametrize(
    ("where", "names"),
    [("in a module", sorted(EXAMPLES)), ("in the test file", ["test_my_dag"])],
    ids=["module", "test"],
)
def test_examples_pass(airflow_home: Path, tmp_path: Path, where: str, names: list[str]) -> None:
    for name in names:
        example = EXAMPLES[name]
        dag = HEAD.format(name=f"{name}_{where[-4:]}", task=TASKS[name])
        if where == "in a module":
            (tmp_path / f"dag_of_{name}.py").write_text(dag)
            dag = f"from dag_of_{name} import my_dag\n"
        (tmp_path / f"{name}.py").write_text(f"{dag}\n\n{example}")
    pytest_run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"{name}.py" for name in names)]
    environment = {**os.environ, "AIRFLOW_HOME": str(airflow_home)}
    ended = subprocess.run(pytest_run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert f"{len(names)} passed" in ended.stdout, ended.stdout[-6000:]
