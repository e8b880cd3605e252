"""The example on each product's page runs as it is, against the emulator: what it starts, and what it waits for.

Airflow's own runner runs the DAGs of ``example_dags/`` (test_examples.py). It would cost seconds for each product.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from in_process import run_dag_in_process

from airflow_cloudtasks.catalog import apis_of, products
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.emulator.vendor import definitions
from airflow_cloudtasks.spec import TaskApi

PAGES = Path(__file__).parents[2] / "docs" / "products"
# What the emulator, as the cloud, accepts for a parameter of each type. Some objects need members.
VALUES = {"array": "[]", "boolean": "true", "object": "{}"}
OBJECTS = {
    "InputInfo": '{"Type": "URL"}',
    "JobSpecs": '[{"Type": "Worker"}]',
    "Job": '{"Tasks": []}',
    "Output": '{"OutputObject": "a.mp4"}',
    "Placement": '{"Zone": "ap-guangzhou-2"}',
    "Task": '{"SQLTask": {"SQL": "SELECT 1"}}',
}


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


def value(api: TaskApi, name: str) -> str:
    """Return a value of a parameter, or of the argument that stands for it, as a template renders it."""
    service = api.service
    actions = definitions.read(service.cloud, service.name, service.version)["actions"]
    starts = (actions[start.action.name]["parameters"] for start in api.starts)
    types = [one["type"] for parameters in starts for key, one in parameters.items() if folded(key) == folded(name)]
    given = next((text for key, text in OBJECTS.items() if folded(key) == folded(name)), None)
    return given or (VALUES.get(types[0], "1") if types else "1")


def folded(name: str) -> str:
    """Return a parameter's name without the difference between the vendor's and Python's spelling."""
    return name.replace("_", "").lower()


@pytest.mark.parametrize("product", products())
def test_the_example_of_a_product_starts_and_waits(product: str, cloud: Emulator) -> None:
    page = (PAGES / f"{product}.md").read_text("utf-8")
    [source] = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    written: dict[str, Any] = {}
    exec(source.replace("from airflow.sdk ", "from airflow.providers.common.compat.sdk "), written)
    dag, api = written["waited"].dag, written["waited"].api
    name = api.name
    assert apis_of(product)[name] is api
    params = {param: value(api, param) for param in re.findall(r"params\.(\w+)", source)}
    cloud.add_finished(name, "1", fields={key: value(api, key) for key in api.task_params})
    if "start" in dag.task_ids:
        cloud.next_running(name, 0)
    results = run_dag_in_process(dag, params)
    assert {one["state"] for one in results.values()} == {"succeeded"}
    assert {one["api"] for one in results.values()} == {name}
    assert {one["api"] for one in cloud.started()} == ({name} if "start" in results else set())
