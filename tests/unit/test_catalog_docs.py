"""What the README and docs/permissions.md say of each API is what the catalog says."""

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
def test_the_permissions_name_the_read_and_the_list(name: str) -> None:
    api = APIS[name]
    actions = [api.read.name, *([api.list_tasks.action.name] if api.list_tasks else [])]
    told, policy = row("docs/permissions.md", name), (ROOT / "docs/permissions.md").read_text("utf-8")
    for action in actions:
        assert f"`{api.service.name}:{action}`" in told
        assert f'"{api.service.name}:{action}"' in policy
