"""Markers by what a test imports, and an Airflow home for this run alone, made before anything imports Airflow."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from imports import imported_by, keep

if TYPE_CHECKING:
    from standalone import Standalone
    from statsd_listener import StatsdListener

    from airflow_cloudtasks.emulator import Emulator

# The fixtures of modules beside this one.
pytest_plugins = ("tls_emulator",)

ROOT = Path(__file__).parent.parent
HAS_AIRFLOW = find_spec("airflow") is not None
HOME = Path(tempfile.mkdtemp(prefix="cloudtasks-airflow-"))
INTEGRATION = ROOT / "tests" / "integration"
# The folders whose tests all need Airflow: what they call imports it when it is called.
IN_AIRFLOW = {ROOT / "tests" / "doctor", INTEGRATION, ROOT / "tests" / "recipe"}
# The DAGs that the tests run in a real Airflow.
SCHEDULED = (
    *(INTEGRATION / "dags" / f"{name}.py" for name in ("crash", "crash_cases", "five_deferrable")),
    *(INTEGRATION / "dags" / f"{name}.py" for name in ("no_worker", "no_worker_cases")),
    *(INTEGRATION / "dags" / f"{name}.py" for name in ("starts", "starts_cases")),
    *(INTEGRATION / "dags" / f"{name}.py" for name in ("user_kills", "user_kills_cases")),
    *(INTEGRATION / "dags" / f"{name}.py" for name in ("limits", "limits_cases")),
    *(INTEGRATION / "dags" / f"{name}.py" for name in ("faces", "faces_cases")),
    *(INTEGRATION / "dags" / f"{name}.py" for name in ("ended", "ended_cases")),
    *(ROOT / "example_dags" / f"{name}.py" for name in ("media_to_warehouse", "report_after_wedata")),
)

# Where each version of Airflow keeps the secrets that it masks in logs.
MASKERS = (
    *("airflow.sdk._shared.secrets_masker", "airflow._shared.secrets_masker"),
    *("airflow.sdk.execution_time.secrets_masker", "airflow.utils.log.secrets_masker"),
)

# The tests set what they need of these.
for name in [name for name in os.environ if name.upper().endswith("_PROXY")]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    # Airflow 2.11 warns of its own defaults otherwise.
    "AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY": "True",
    # `airflow standalone` starts its parts by the command's name.
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}

# The same examples on every machine, however long one takes on a loaded machine.
settings.register_profile(
    "tests", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--answers", type=int, default=24_000, help="how many answers tests/unit/test_hostile_answers.py reads"
    )
    parser.addoption(
        "--ends", type=int, default=10, help="how many ends tests/integration/test_watched_ends.py lets happen"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no module that needs a missing Airflow, and none whose tests ``-m`` leaves out."""
    module = collection_path / "conftest.py" if collection_path.is_dir() else collection_path
    if module.suffix != ".py":
        return None
    markers = markers_of(module)
    chosen = {
        "scheduler": "scheduler" in markers,
        "not scheduler": "scheduler" not in markers,
        "airflow and not scheduler": "airflow" in markers and "scheduler" not in markers,
        "not airflow": "airflow" not in markers,
    }
    is_left_out = module.name.startswith("test_") and not chosen.get(config.getoption("markexpr"), True)
    return True if is_left_out or ("airflow" in markers and not HAS_AIRFLOW) else None


@cache
def markers_of(module: Path) -> frozenset[str]:
    """Return the markers of all tests of a module."""
    imported = imported_by(module)
    markers = {
        "airflow": "airflow" in imported or not IN_AIRFLOW.isdisjoint(module.parents),
        "scheduler": "standalone" in imported,
        "browser": "playwright" in imported,
    }
    return frozenset(name for name, holds in markers.items() if holds)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in markers_of(item.path):
            item.add_marker(marker)
    # These wait most. At the end, they would leave the processors idle.
    items.sort(key=lambda item: INTEGRATION not in item.path.parents)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as this process: a seventh of the time of the tests."""
    keep()
    gc.collect()
    gc.freeze()


def pytest_runtest_teardown() -> None:
    """Forget the secrets of the test.

    Airflow compiles all secrets that it has ever seen into one pattern, again for each new one: half of the time of
    the tests that look connections up.
    """
    for name in MASKERS:
        if find := vars(sys.modules.get(name, object)).get("_secrets_masker"):
            find().patterns.clear()
            find().replacer = None


def pytest_sessionfinish() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Airflow home with a database, for DAGs that run in this process."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    migrated, database = shared / "migrated.db", HOME / "airflow.db"
    # One process makes the database. The others of pytest-xdist copy it.
    with (shared / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if migrated.exists():
            shutil.copy(migrated, database)
        else:
            subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
            shutil.copy(database, migrated)
    return HOME


@pytest.fixture(scope="session")
def _clouds_of_standalone() -> Iterator[Emulator]:
    from airflow_cloudtasks.emulator import Emulator

    with Emulator() as running:
        yield running


@pytest.fixture(scope="session")
def statsd_of_standalone() -> Iterator[StatsdListener]:
    """What the triggerer and the workers of ``standalone`` send by StatsD."""
    from statsd_listener import statsd_listener

    with statsd_listener() as listener:
        yield listener


@pytest.fixture(scope="session")
def standalone(
    _clouds_of_standalone: Emulator, statsd_of_standalone: StatsdListener, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standalone]:
    """A real `airflow standalone`, for all the tests that run DAGs in it or look at its pages."""
    from standalone import running_standalone

    home = tmp_path_factory.mktemp("standalone")
    (home / "dags").mkdir()
    for file in SCHEDULED:
        shutil.copy(file, home / "dags")
    (home / "dags" / ".airflowignore").write_text("*_cases.py\n")
    # Airflow 3's triggerer does not find modules of the DAG folder by itself. Only some may come before the libraries:
    # the folder's `limits` has the name of a library of Airflow 2.
    (home / "modules").mkdir()
    for file in (home / "dags").glob("*_cases.py"):
        shutil.copy(file, home / "modules")
    paths = os.pathsep.join(filter(None, (str(home / "modules"), os.environ.get("PYTHONPATH"))))
    variables = {"AIRFLOW_VAR_NO_WORKER_NAME": "number", "PYTHONPATH": paths}
    variables |= statsd_of_standalone.environment
    with running_standalone(home, _clouds_of_standalone.connections() | variables) as running:
        yield running


@pytest.fixture(scope="module")
def scheduled_clouds(_clouds_of_standalone: Emulator) -> Emulator:
    """The emulator that the connections of ``standalone`` lead to, as new for each test module."""
    _clouds_of_standalone.reset()
    return _clouds_of_standalone
