"""The code in README and docs runs: a sample that an API no longer takes fails here, on both Airflows."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from airflow import __version__ as airflow_version

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # Airflow 2.11
    from airflow.models.dagbag import DagBag

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted(set((ROOT / "docs").rglob("*.md")) - set((ROOT / "docs" / "_build").rglob("*.md"))),
]
AIRFLOW = tuple(map(int, airflow_version.split(".")[:2]))

# What this Airflow has not: events are of Airflow 3, and common-messaging is installed on the newest one.
HAS_MESSAGING = find_spec("airflow.providers.common.messaging") is not None
MISSING = (*(() if AIRFLOW >= (3, 0) else ("AssetWatcher",)), *(() if HAS_MESSAGING else ("common.messaging",)))


def samples(language: str) -> list[Any]:
    """Return each block of code of a language, named by its page and its number there."""
    return [
        pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, block in enumerate(
            re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.M | re.S), 1
        )
        if not any(name in block for name in MISSING)
    ]


def for_this_airflow(source: str) -> str:
    """Return the sample as the guides say to write it for Airflow 2.11."""
    return (
        source
        if AIRFLOW >= (3, 0)
        else source.replace("from airflow.sdk ", "from airflow.providers.common.compat.sdk ")
    )


@pytest.mark.parametrize("source", samples("python"))
def test_python_runs(source: str) -> None:
    code = compile(for_this_airflow(source), "<sample>", "exec")
    names: dict[str, Any] = {}
    if "start_from_trigger=True" in source and AIRFLOW < (3, 3):
        with pytest.raises(ValueError, match="start_from_trigger needs Airflow"):
            exec(code, names)
    else:
        exec(code, names)


@pytest.mark.parametrize("source", [sample for sample in samples("python") if "with DAG(" in sample.values[0]])
def test_airflow_reads_the_dag(source: str, tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(for_this_airflow(source))
    bag = DagBag(dag_folder=str(file))
    assert bag.import_errors == {}
    [dag] = bag.dags.values()
    assert dag.task_ids


@pytest.mark.parametrize("source", samples("json"))
def test_json_can_be_parsed(source: str) -> None:
    assert json.loads(source)


@pytest.mark.parametrize("source", samples("toml"))
def test_toml_can_be_parsed(source: str) -> None:
    assert tomllib.loads(source)
