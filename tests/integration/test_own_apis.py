"""A user's own API works like those of the catalog: the guide's example, and an API that a package installs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from other_products import CDB, IMM
from running import returned, run_dag

from airflow_cloudtasks import catalog
from airflow_cloudtasks.catalog import find_api, stored_api
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.operators.cloud_task import StartCloudTaskOperator

GUIDE = (Path(__file__).parents[2] / "docs" / "how-to" / "own_apis.md").read_text()
EXAMPLE, *_ = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def cloud(airflow_home: Path, emulator: Emulator) -> Iterator[Emulator]:
    emulator.reset()
    emulator.serve(IMM)
    emulator.serve(CDB)
    yield emulator
    emulator.reset()


def specs() -> dict[str, Any]:
    defined: dict[str, Any] = {}
    exec(EXAMPLE, defined)
    return defined


@contextmanager
def installed(source: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a package for the length of the block whose entry point leads to ALL of its module."""
    module = f"own_apis_{abs(hash(source))}"
    (directory / f"{module}.py").write_text(source)
    metadata = directory / f"{module}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{catalog.ENTRY_POINTS}]\nmine = {module}:ALL\n")
    monkeypatch.syspath_prepend(str(directory))
    catalog._installed.cache_clear()
    try:
        yield
    finally:
        catalog._installed.cache_clear()


def test_example_of_the_guide_starts_waits_and_returns(cloud: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "two_more_products.py"
    file.write_text(EXAMPLE)
    assert run_dag("two_more_products", file=file) == {"pack": "success", "restart": "success"}
    packed, restarted = cloud.started("imm.task") + cloud.started("cdb.async_request")
    assert packed["parameters"]["Sources"] == '[{"URI": "oss://media/2026/01.mov"}]'
    assert restarted["parameters"] == {"InstanceIds": ["cdb-c1nl9rpv"]}
    results = returned("two_more_products")
    assert [(results[name]["api"], results[name]["state"]) for name in ("pack", "restart")] == [
        ("imm.file_compression", "succeeded"),
        ("cdb.restart", "succeeded"),
    ]


def test_each_api_of_the_guide_takes_fewer_than_fifteen_lines() -> None:
    written = re.findall(r"^_\w+ = [^\n]*\n\w+ = TaskApi\(\n.*?^\)\n", EXAMPLE, re.DOTALL | re.MULTILINE)
    assert [text.count("\n") < 15 for text in written] == [True, True]


def test_finds_the_apis_of_an_installed_package_by_name(
    cloud: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = EXAMPLE.partition("with DAG")[0] + "\nALL = [IMM_PACKING, CDB_REQUEST]\n"
    with installed(source, tmp_path, monkeypatch):
        api = find_api("cdb.restart")
        assert api == specs()["CDB_REQUEST"]
        # Whole, for triggerers on other machines.
        assert find_api(stored_api(api)) == api
        operator = StartCloudTaskOperator(task_id="x", api="cdb.restart", parameters={"InstanceIds": ["cdb-1"]})
        assert operator.start.action.name == "RestartDBInstances"
        with pytest.raises(ValueError, match=r"Unknown api 'cdb\.nothing'\. Did you mean .*cdb\.restart"):
            find_api("cdb.nothing")


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("ALL = ['no spec']", r"The entry point 'mine' of .* leads to a str; expected a TaskApi, or a list of them"),
        ("ALL = 7", r"The entry point 'mine' of .* leads to a int; expected a TaskApi, or a list of them"),
        (
            "import no_such_helper",
            r"The entry point 'mine' of .* cannot be loaded: ModuleNotFoundError: .*helper",
        ),
        (
            "from airflow_cloudtasks.catalog import LKE_TASK\nALL = LKE_TASK",
            r"'mine' .*has an API named 'lke\.task', and there is another one of this name",
        ),
    ],
)
def test_error_names_an_entry_point_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, error: str
) -> None:
    with installed(source, tmp_path, monkeypatch), pytest.raises((TypeError, ValueError), match=error):
        find_api("mine.nothing")
