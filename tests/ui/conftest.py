"""The tests in a browser: which Airflow has the form that they look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow import __version__ as airflow_version
from packaging.version import Version

# Airflow 3.2 is the first that renders the form from provider.yaml. The form of 2.11 is made of the hooks' widgets,
# which test_form_commands.py looks at with Airflow's own commands, as on every other version. The pages of a task are
# looked at in the newest Airflow; that each task keeps its link, tests/integration/test_starts.py sees on all.
BROWSER_TESTS = ("test_connection_form.py", "test_task_page.py")
FORM_FROM_YAML = Version(airflow_version) >= Version("3.2")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path.name in BROWSER_TESTS and not FORM_FROM_YAML else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not FORM_FROM_YAML:
        terminalreporter.write_line(
            f"Not collected on Airflow {airflow_version}: {' and '.join(BROWSER_TESTS)} in tests/ui, of the pages of "
            "Airflow 3.2 and newer; tests/ui/test_form_commands.py checks the older form."
        )
