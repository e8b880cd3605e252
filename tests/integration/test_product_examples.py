"""The example on each product's page runs as it is, against the emulator: what it starts, and what it waits for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from running import returned, run_dag

from airflow_cloudtasks.catalog import apis_of, products
from airflow_cloudtasks.emulator import Emulator

PAGES = Path(__file__).parents[2] / "docs" / "products"
# Parameters that the emulator, as the cloud, does not accept as the text "1": by the product, and by the encoding.
VALUES = {"Task": '{"SQLTask": {"SQL": "SELECT 1"}}'}  # of DLC
ENCODED = {"object": '{"Key": "1"}'}


@pytest.fixture
def cloud(airflow_home, emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


@pytest.mark.parametrize("product", products())
def test_the_example_of_a_product_starts_and_waits(product: str, cloud: Emulator, tmp_path: Path) -> None:
    page = (PAGES / f"{product}.md").read_text("utf-8")
    [source] = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    file = tmp_path / f"{product}.py"
    file.write_text(source.replace("from airflow.sdk ", "from airflow.providers.common.compat.sdk "))
    [name] = set(re.findall(r'api="(\S+)"', source))
    api = apis_of(product)[name]
    encodings = {key: encoding for start in api.starts for key, encoding in start.encodings.items()}
    params = {
        name: VALUES.get(name) or ENCODED.get(encodings.get(name, ""), "1")
        for name in re.findall(r"params\.(\w+)", source)
    }
    cloud.add_finished(name, str(params[api.id_param]), fields={key: params[key] for key in api.task_params})
    tasks = re.findall(r'task_id="(\w+)"', source)
    if "start" in tasks:
        cloud.next_running(name, 0)
    assert run_dag(product, params, file=file) == dict.fromkeys(tasks, "success")
    assert {one["api"] for one in returned(product).values() if isinstance(one, dict)} == {name}
    assert {one["api"] for one in cloud.started()} == ({name} if "start" in tasks else set())
