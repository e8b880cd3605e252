"""The command ``catalog`` lists every API with its actions, and finds APIs by words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.commands import catalog as command
from airflow_cloudtasks.commands.listing import as_table, entry, matches
from airflow_cloudtasks.commands.main import main


def listed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """Return the APIs that the command prints as JSON."""
    assert main(["catalog", "--json", *arguments]) == code
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def names(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    return [each["api"] for each in listed(capsys, *arguments, code=code)]


def test_lists_every_api(capsys: pytest.CaptureFixture[str]) -> None:
    assert names(capsys) == list(APIS)


def test_the_table_has_every_api_in_one_line_for_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = re.findall(r"^  (\S+\.\S+) +read (\w+)", "\n".join(lines), re.M)
    assert sorted(found) == sorted((api.name, api.read.name) for api in APIS.values())
    products = {(api.cloud, api.service.product) for api in APIS.values()}
    assert lines[-1] == f"{len(APIS)} APIs of {len(products)} products"
    assert len(lines) == len(APIS) + 2 * len(products) + 1


@pytest.mark.parametrize("name", APIS)
def test_an_entry_has_the_actions_of_the_api(name: str) -> None:
    api, found = APIS[name], entry(APIS[name])
    assert (found["product"], found["cloud"], found["read"]) == (api.service.product, api.cloud, api.read.name)
    assert [start[0] for start in found["starts"]] == [start.action.name for start in api.starts]
    assert found["cancel"] == (api.cancel and api.cancel.action.name)
    assert found["list"] == (api.list_tasks and api.list_tasks.action.name)
    assert (found["parts"] is None) is (api.parts is None)
    assert json.loads(json.dumps(found)) == found
    line = as_table([found], width=1000)
    assert all(action in line for start in found["starts"] for action in start)


def test_a_line_names_what_follows_a_start_and_where_parts_are() -> None:
    assert as_table([entry(APIS["bpstudio.task"])], width=1000).splitlines() == [
        "Alibaba Cloud BPStudio",
        "  bpstudio.task  read GetTask; start CreateTask then ExecuteTask",
        "",
        "1 API of 1 product",
    ]
    assert "; parts in the answer\n" in as_table([entry(APIS["ice.workflow_task"])], width=1000)
    assert "; parts ListDataBackfillInstances, GetTaskInstanceLog\n" in as_table(
        [entry(APIS["wedata.backfill"])], width=1000
    )


@pytest.mark.parametrize("width", [1, 60, 80, 120])
def test_a_narrow_table_wraps_and_keeps_each_name_whole(width: int) -> None:
    lines = as_table([entry(api) for api in APIS.values()], width=width).splitlines()
    longest = max(map(len, APIS))
    assert max(map(len, lines)) <= max(width, longest + 4 + 40)
    assert [line.split()[0] for line in lines if re.match(r"  \S", line)] == sorted(
        APIS, key=lambda name: (APIS[name].cloud, APIS[name].service.product.casefold())
    )


def test_apis_of_one_product_stand_together_wherever_they_come_from() -> None:
    apis = [entry(APIS[name]) for name in ("lke.task", "bdrc.task", "wedata.task", "bdrc.task")]
    headings = [line for line in as_table(apis, width=80).splitlines() if line.startswith(("Ali", "Ten"))]
    assert headings == ["Alibaba Cloud BDRC", "Tencent Cloud LKE", "Tencent Cloud WeData"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["newest_workflow"], ["wedata.newest_workflow_run"]),  # a name
        (["bpstudio"], ["bpstudio.task", "bpstudio.operation"]),  # a title
        (["KILLTRIGGER"], ["wedata.workflow_run"]),  # an action that cancels
        (["executetask"], ["bpstudio.task"]),  # an action that follows a start
        (["tencent", "attributelabel"], ["lke.task"]),  # a cloud, and an action that starts
        (["wedata", "listtaskinstances"], ["wedata.task_instance"]),
        (["GetTaskInstanceLog", "backfill"], ["wedata.backfill"]),  # an action that explains
    ],
)
def test_each_word_is_in_a_name_a_title_or_an_action(
    words: list[str], found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert names(capsys, *words) == found


@pytest.mark.parametrize("cloud", ["alibaba", "tencent"])
def test_lists_one_cloud(cloud: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert names(capsys, "--cloud", cloud) == [name for name, api in APIS.items() if api.cloud == cloud]


def test_no_match_ends_with_1_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "bdrc", "wedata"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == f"None of the {len(APIS)} APIs has 'bdrc wedata' in a name, a title or an action.\n"
    assert names(capsys, "bdrc", "wedata", code=1) == []


def test_an_unknown_cloud_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["catalog", "--cloud", "other"])
    assert ended.value.code == 2
    assert "invalid choice: 'other' (choose from" in capsys.readouterr().err


def test_lists_the_apis_of_installed_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "every_api", lambda: {"lke.task": APIS["lke.task"]})
    assert names(capsys) == ["lke.task"]


def test_no_words_match_every_api() -> None:
    assert all(matches(entry(api), []) for api in APIS.values())


def test_needs_no_airflow() -> None:
    source = (
        "import sys\nfrom airflow_cloudtasks.commands.main import main\nmain(['catalog', 'lke'])\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'airflow'))"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
