"""What the README and the guides say of each API is what the catalog says."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_cloudtasks.catalog import APIS

ROOT = Path(__file__).parents[2]


def row(document: str, name: str) -> str:
    [line] = [line for line in (ROOT / document).read_text("utf-8").splitlines() if line.startswith(f"| `{name}` |")]
    return line


@pytest.mark.parametrize("name", APIS)
def test_the_readme_names_the_action_the_parameters_and_every_status(name: str) -> None:
    api, told = APIS[name], row("README.md", name)
    assert f" {api.read.name} |" in told
    assert all(f"`{param}`" in told for param in api.task_params)
    assert all(status in told for status in api.states)


@pytest.mark.parametrize("name", APIS)
def test_the_permissions_name_every_action(name: str) -> None:
    api = APIS[name]
    actions = {api.read.name} | {listing.action.name for listing in (api.list_tasks, api.cancel) if listing}
    for start in api.starts:
        actions |= {start.action.name, *([start.then.name] if start.then else [])}
        actions |= {start.find.tasks.action.name} if start.find else set()
    if api.parts:
        actions |= {
            part.name
            for part in (api.parts.listed and api.parts.listed.action, api.parts.log and api.parts.log.action)
            if part
        }
    document = "docs/reference/permissions.md"
    told, policy = row(document, name), (ROOT / document).read_text("utf-8")
    for action in actions:
        assert f"`{api.service.name}:{action}`" in told
        assert f'"{api.service.name}:{action}"' in policy


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.starts])
def test_the_guide_to_operators_tells_how_each_start_is_canceled_and_known_again(name: str) -> None:
    api, rows = APIS[name], (ROOT / "docs/reference/operators.md").read_text("utf-8").splitlines()
    for start in api.starts:
        [told] = [line for line in rows if line.startswith("| `") and f" {start.action.name}" in line.split("|")[2]]
        _, _, how, kill, lost, _ = told.split("|")
        assert start.then is None or start.then.name in how
        assert (api.cancel.action.name in kill) if api.cancel else ("changes nothing" in kill)
        known = start.client_token or (start.find and start.find.tasks.action.name)
        assert (known in lost) if known else ("cannot be known" in lost)
