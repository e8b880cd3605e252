"""The tests in a browser: which Airflow has the form that they look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow import __version__ as airflow_version
from packaging.version import Version

BROWSER_TESTS = "test_connection_form.py"
# Airflow 3.2 is the first that renders the form from provider.yaml. The form of 2.11 is made of the hooks' widgets,
# which test_form_commands.py looks at with Airflow's own commands, as on every other version.
FORM_FROM_YAML = Version(airflow_version) >= Version("3.2")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path.name == BROWSER_TESTS and not FORM_FROM_YAML else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not FORM_FROM_YAML:
        terminalreporter.write_line(
            f"Not collected on Airflow {airflow_version}: tests/ui/{BROWSER_TESTS}, which is of the form of Airflow "
            "3.2 and newer; tests/ui/test_form_commands.py checks the older form."
        )
