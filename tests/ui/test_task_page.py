"""A DAG's graph, and the extra link of its tasks, in real Chromium on a real `airflow standalone`.

With CLOUDTASKS_GRAPH set to a file's name, the graph is kept there as a PNG: the picture in docs/operators.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from browser import PAGE_MILLISECONDS, running_browser
from playwright.sync_api import Page, expect
from scheduler import RUN_ID, Scheduler
from standalone import Standalone

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.emulator import Emulator

DAG_ID = "media_to_warehouse"
OPERATORS = {
    "transcode": "ice.workflow_task",
    "load": "wedata.workflow_run",
    "count": "wedata.sql_run",
    "check_backups": "bdrc.task",
}


@pytest.fixture(scope="module")
def run(standalone: Standalone, scheduled_clouds: Emulator) -> Scheduler:
    """One run of the example to its end."""
    scheduler = Scheduler(standalone, DAG_ID)
    scheduler.run()
    scheduler.until_the_run_succeeds()
    return scheduler


@pytest.fixture(scope="module")
def page(run: Scheduler) -> Iterator[Page]:
    with running_browser() as browser:
        opened = browser.new_page(base_url=run.address, locale="en-US", viewport={"width": 1700, "height": 520})
        opened.set_default_timeout(PAGE_MILLISECONDS)
        # A graph from left to right, beside the run.
        kept = {"default_dag_view": "graph", f"direction-{DAG_ID}": "RIGHT"}
        keep = "([name, value]) => localStorage.setItem(name, JSON.stringify(value))"
        opened.add_init_script(f"Object.entries({json.dumps(kept)}).forEach({keep})")
        yield opened


@pytest.mark.parametrize(("task_id", "api"), OPERATORS.items())
def test_task_page_links_to_the_console(page: Page, task_id: str, api: str) -> None:
    page.goto(f"/dags/{DAG_ID}/runs/{RUN_ID}/tasks/{task_id}/details")
    link = page.get_by_role("link", name="Cloud console")
    expect(link).to_have_attribute("href", str(APIS[api].service.console))


def test_graph_shows_every_task(page: Page) -> None:
    page.goto(f"/dags/{DAG_ID}/runs/{RUN_ID}")
    graph: Any = page.locator(".react-flow")
    for task_id in ("pick", "check", *OPERATORS):
        expect(graph.get_by_text(task_id, exact=True)).to_be_visible()
    if kept := os.environ.get("CLOUDTASKS_GRAPH"):
        graph.screenshot(path=kept)
