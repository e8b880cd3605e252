"""The ``cloudtasks_emulator`` fixture, which pytest offers wherever the provider is installed.

pytest imports this module in every run, so it imports nothing heavy before a test uses the fixture.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from airflow_cloudtasks.emulator import extra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_cloudtasks.emulator.server.emulator import Emulator


@pytest.fixture(scope="session")
def _cloudtasks_emulator_server() -> Iterator[Emulator]:
    try:
        from airflow_cloudtasks.emulator.server.emulator import Emulator
    except ModuleNotFoundError as error:
        if not extra.is_missing(error):
            raise
        pytest.fail(extra.MISSING, pytrace=False)
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def cloudtasks_emulator(_cloudtasks_emulator_server: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Both clouds on localhost, empty for each test, and Airflow's default connections to them.

    ``AIRFLOW_CONN_ALIBABA_DEFAULT`` and ``AIRFLOW_CONN_TENCENT_DEFAULT`` are set during the test. ``dag.test()`` also
    runs a DAG that lies in no configured DAG bundle.

    Yields:
        The running emulator.
    """
    emulator = _cloudtasks_emulator_server
    emulator.reset()
    for name, value in emulator.connections().items():
        monkeypatch.setenv(name, value)
    _run_dags_of_any_folder(monkeypatch)
    yield emulator
    emulator.reset()


_BUNDLES = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"


def _run_dags_of_any_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``dag.test()`` of Airflow 3 find a DAG by its file: by itself, it looks in the configured bundles only."""
    if find_spec("airflow") is None or find_spec("airflow.sdk") is None:
        return
    from airflow.configuration import conf
    from airflow.sdk import DAG

    really_test = DAG.test

    def test(dag: Any, *args: Any, **kwargs: Any) -> Any:
        own = {
            "name": f"file-of-{dag.dag_id}",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": dag.fileloc},
        }
        configured: Any = conf.getjson("dag_processor", "dag_bundle_config_list")
        with pytest.MonkeyPatch.context() as patched:
            # The last one, so that Airflow takes the DAG from a configured bundle if it finds it there.
            patched.setenv(_BUNDLES, json.dumps([*configured, own]))
            return really_test(dag, *args, **kwargs)

    monkeypatch.setattr(DAG, "test", test)
