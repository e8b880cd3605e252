"""The options of ``check`` and ``record`` that name a task: one stands for every spelling that products have of it."""

from __future__ import annotations

import argparse
from dataclasses import replace

import pytest

from airflow_cloudtasks.catalog import LKE_TASK
from airflow_cloudtasks.commands import connections
from airflow_cloudtasks.commands.connections import OWN_FLAGS, check_options, record_options
from airflow_cloudtasks.doctor.options import naming_options
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.spec import TaskApi


def api(name: str, *parameters: str) -> TaskApi:
    return replace(LKE_TASK, name=name, read=replace(LKE_TASK.read, params=("TaskId", *parameters)), starts=())


APIS = {
    each.name: each
    for each in (
        api("a.task", "WorkspaceId"),
        api("b.task", "workspaceId"),
        api("c.task", "WorkSpaceId"),
        api("d.task", "Region"),
    )
}


@pytest.fixture(autouse=True)
def catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products that spell a parameter differently, and one whose parameter is spelled like another option."""
    monkeypatch.setattr(connections, "every_api", lambda: APIS)


def params(api: str | None, *arguments: str) -> dict[str, str]:
    """Return the parameters that a command line of ``check`` sets for an API."""
    parser = argparse.ArgumentParser()
    for each in check_options():
        parser.add_argument(each.flag, help=each.help, **each.keywords)
    return connections._api_params(parser.parse_args(arguments), APIS[api] if api else None)


def test_one_option_stands_for_the_spellings_of_all_products() -> None:
    assert naming_options(APIS.values()) == {
        "--workspace-id": ["WorkspaceId", "workspaceId"],
        "--work-space-id": ["WorkSpaceId"],
        "--region": ["Region"],
    }
    [option] = [each for each in check_options() if each.flag == "--workspace-id"]
    assert option.help == "WorkspaceId or workspaceId of a, b"


@pytest.mark.parametrize(
    ("api", "arguments", "expected"),
    [
        ("a.task", ["--workspace-id", "7"], {"WorkspaceId": "7"}),
        ("b.task", ["--workspace-id", "7"], {"workspaceId": "7"}),
        ("c.task", ["--work-space-id", "7"], {"WorkSpaceId": "7"}),
        ("d.task", ["--region", "r", "--param", "Region=7"], {"Region": "7"}),
        (None, ["--workspace-id", "7"], {"WorkspaceId": "7", "workspaceId": "7"}),
        # Of another API: kept, so that it is refused by its name.
        ("c.task", ["--workspace-id", "7"], {"WorkspaceId": "7"}),
    ],
)
def test_an_option_sets_the_parameter_as_the_api_spells_it(
    api: str | None, arguments: list[str], expected: dict[str, str]
) -> None:
    assert params(api, *arguments) == expected


def test_a_parameter_of_another_api_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidArguments, match=r"c\.task takes no WorkspaceId; it takes --work-space-id"):
        connections._refuse_unknown(params("c.task", "--workspace-id", "7"), APIS["c.task"])


def test_no_option_has_the_name_of_another() -> None:
    for options in (check_options(), record_options()):
        flags = [each.flag for each in options]
        assert len(flags) == len(set(flags))
        assert {*flags} - {*naming_options(APIS.values())} <= OWN_FLAGS
