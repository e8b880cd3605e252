"""Take the screenshots of the tutorial: follow its steps in a real Airflow and a real Chromium.

`make docs-screenshots` runs this. The DAG and the emulator's script of the failure are those that docs/tutorial.md
shows, so the pictures show what a reader sees.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / folder) for folder in ("docs", "tests", "tests/ui", "tools")]

from browser import running_browser  # noqa: E402 - a module of the tests
from pictures import keep  # noqa: E402 - its folder is no package
from playwright.sync_api import Page, expect  # noqa: E402
from standalone import running_standalone  # noqa: E402 - a module of the tests

from airflow_cloudtasks.emulator import Emulator  # noqa: E402

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
[DAG_SOURCE] = re.findall(r"```python\n(.*?)```", TUTORIAL, re.DOTALL)
[FAILURE] = re.findall(r"/_control/scripts -d '(.*?)'\n", TUTORIAL, re.DOTALL)

PORT = 8787
FORM_VALUES = {
    "Endpoint override": f"http://127.0.0.1:{PORT}",
    "AccessKey ID": "emulator-id",
    "AccessKey secret": "emulator-secret",
    "Endpoint port": "0",
}
SECONDS = 240


def main() -> int:
    """Take all pictures; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="cloudtasks-docs-") as directory:
        home = Path(directory)
        (home / "dags").mkdir()
        (home / "dags" / "first_tasks.py").write_text(DAG_SOURCE)
        shutil.copy(ROOT / "example_dags" / "report_after_wedata.py", home / "dags")
        os.environ |= {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            # `airflow standalone` starts its parts by the command's name.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        with (
            Emulator(port=PORT) as emulator,
            running_standalone(home, {}) as airflow,
            running_browser() as browser,
        ):
            # For the tutorial's commands, and for this process.
            os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = airflow.database
            page = browser.new_page(base_url=airflow.address, locale="en-US", viewport={"width": 1280, "height": 800})
            page.add_init_script(
                "localStorage.setItem('default_dag_view', '\"graph\"');"
                "localStorage.setItem('direction-first_tasks', '\"RIGHT\"');"
            )
            show_asset(page)
            add_alibaba_connection(page)
            add_tencent_connection()
            show_successful_run(page)
            urlopen(Request(f"{emulator.url}/_control/scripts", data=FAILURE.encode()))
            show_failed_run(page)
    return 0


def show_asset(page: Page) -> None:
    """Show the asset of docs/how-to/events.md with the DAG that it schedules."""
    page.set_viewport_size({"width": 1280, "height": 480})
    page.goto("/assets")
    link = page.get_by_role("link", name="wedata_warehouse")
    until(lambda: bool(page.reload()) and bool(link.count()), "the asset is shown")
    link.first.click()
    expect(page.locator(".react-flow").get_by_text("report_after_wedata", exact=True)).to_be_visible()
    page.wait_for_timeout(3000)
    keep(page.screenshot(animations="disabled"), "asset_graph")


def add_alibaba_connection(page: Page) -> None:
    """Fill in the form, and press Test Connection."""
    page.goto("/connections")
    page.get_by_role("button", name="Add Connection").click()
    dialog = page.get_by_role("dialog")
    dialog.locator('[name="connection_id"]').fill("alibaba_default")
    dialog.get_by_role("combobox").first.click()
    page.get_by_role("option", name="Alibaba Cloud tasks", exact=True).click()
    for label, value in FORM_VALUES.items():
        dialog.get_by_label(label, exact=True).fill(value)
    page.set_viewport_size({"width": 1280, "height": 1400})
    keep(dialog.screenshot(animations="disabled"), "connection_form")
    page.set_viewport_size({"width": 1280, "height": 800})
    dialog.get_by_role("button", name="Extra Fields", exact=True).click()
    dialog.locator('[name="element_region"]').fill("cn-shanghai")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    page.reload()
    page.set_viewport_size({"width": 1280, "height": 420})
    page.get_by_role("row").filter(has_text="alibaba_default").get_by_role("button", name="Test Connection").click()
    expect(page.get_by_text("Connected to account")).to_be_visible()
    keep(page.screenshot(animations="disabled"), "connection_test")


def add_tencent_connection() -> None:
    """Add the second connection by the tutorial's own command."""
    [command] = re.findall(r"^airflow (connections add tencent_default .*?)\n```", TUTORIAL, re.DOTALL | re.MULTILINE)
    subprocess.run(f"{sys.executable} -m airflow {command}", shell=True, check=True, capture_output=True)


def show_successful_run(page: Page) -> None:
    """Run the DAG to its end, and show its graph."""
    trigger("first")
    page.set_viewport_size({"width": 1280, "height": 640})
    page.goto("/dags/first_tasks/runs/first")
    expect(page.locator(".react-flow").get_by_text("report", exact=True)).to_be_visible()
    until_state("first", "success")
    page.reload()
    expect(page.locator(".react-flow").get_by_text("report", exact=True)).to_be_visible()
    page.wait_for_timeout(3000)
    keep(page.screenshot(animations="disabled"), "graph")


def show_failed_run(page: Page) -> None:
    """Run the DAG again, and show the log of the task that fails."""
    trigger("second")
    until_state("second", "failed")
    page.set_viewport_size({"width": 1280, "height": 340})
    page.goto("/dags/first_tasks/runs/second/tasks/transcode")
    expect(page.get_by_text("codec not supported").first).to_be_visible()
    # The whole window for the log, its long lines wrapped, and the stack folded: it names paths of this machine.
    page.keyboard.press("f")
    page.keyboard.press("w")
    page.get_by_text("CloudTaskFailed:").last.click()
    page.wait_for_timeout(2000)
    keep(page.screenshot(animations="disabled"), "failed_log")


def trigger(run_id: str) -> None:
    """Begin a run of the DAG as soon as Airflow has parsed it."""
    command = [sys.executable, "-m", "airflow", "dags", "trigger", "--run-id", run_id, "first_tasks"]
    until(lambda: not subprocess.run(command, check=False, capture_output=True).returncode, "the DAG can be triggered")


def until_state(run_id: str, state: str) -> None:
    """Wait until a run of the DAG has a state."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    def has_it() -> bool:
        with create_session() as session:
            run = session.query(DagRun).filter_by(dag_id="first_tasks", run_id=run_id).one()
            return str(run.state) == state

    until(has_it, f"the run {run_id} is {state}")


def until(true: Callable[[], bool], what: str) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + SECONDS
    while not true():
        if time.monotonic() > deadline:
            sys.exit(f"Not within {SECONDS} seconds: {what}.")
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
