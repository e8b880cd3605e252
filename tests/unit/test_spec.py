"""A spec whose fields do not fit together is refused when it is made, with a text that names the fault."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS, LKE_TASK, WEDATA_TASK, find_api, stored_api
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.spec import Action, Cancel, Percentages, Service, Start, TaskApi, TaskList
from airflow_cloudtasks.waiting.verdicts import WaitRules


def with_(**changes: Any) -> TaskApi:
    """Return a valid spec with some fields replaced."""
    return dataclasses.replace(WEDATA_TASK, **changes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        *(({"name": name}, f"TaskApi name '{name}' is not of the form") for name in ("task", "", "a.", "A.b", "a b.c")),
        ({"id_param": "JobId"}, r"wedata.task: id_param 'JobId' is none of GetTask's params \('ProjectId', 'TaskId'\)"),
        ({"states": {}}, "wedata.task: no status in states ends a task"),
        ({"states": {"N": TaskState.PENDING}}, "wedata.task: no status in states ends a task"),
        ({"states": {"Y": "sucess"}}, "wedata.task: status 'Y' means 'sucess', which is no TaskState"),
        ({"states": {"y": TaskState.SUCCEEDED, "Y ": TaskState.FAILED}}, "stands in states twice, but for case: y, Y"),
        *(
            ({"timezone": zone}, f"wedata.task: timezone '{shown}' is not of the form '\\+08:00'")
            for zone, shown in (
                ("Asia/Shanghai", "Asia/Shanghai"),
                ("", ""),
                ("+0800", r"\+0800"),
                ("+99:00", r"\+99:00"),
            )
        ),
        *(
            ({"progress_whole": whole}, f"wedata.task: progress_whole is {whole}; expected a number above 0")
            for whole in (0, -1, float("nan"))
        ),
        (
            {"status": Percentages(complete="Complete", succeeded="Success")},
            "wedata.task: states of percentages must be those of complete, complete with failures, incomplete",
        ),
        (
            {"console_url": "https://c.test/{Region}/{id}"},
            "wedata.task: console_url has {Region}, which nothing fills in",
        ),
    ],
)
def test_refuses_a_spec_whose_fields_do_not_fit_together(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        with_(**changes)


def test_refuses_a_service_of_an_unknown_cloud() -> None:
    with pytest.raises(ValueError, match=r"Service 'ecs' has cloud 'aws'; expected one of \('alibaba', 'tencent'\)"):
        Service(cloud="aws", name="ecs", version="1")  # type: ignore[arg-type]


def test_refuses_a_path_parameter_that_the_action_does_not_require() -> None:
    with pytest.raises(ValueError, match=r"GetToy: the path '/toys/{ToyId}' has {ToyId}, which is none"):
        Action(name="GetToy", params=("TaskId",), path="/toys/{ToyId}")


@pytest.mark.parametrize("pages", [{}, {"next_page": "NextToken", "page_count": "Pages"}])
def test_refuses_a_list_without_exactly_one_way_to_page(pages: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"ListToys: (expected one of|a list has).*next_page.*page_count"):
        TaskList(
            action=Action(name="ListToys"),
            tasks="Items",
            page_size_param="PageSize",
            page_size=2,
            page_param="PageNumber",
            **pages,
        )


RUN = APIS["wedata.workflow_run"]
BEGIN = Action(name="BeginToy", params=("Name",), optional=("Tag", "Ids"))
END = Action(name="EndToy", params=("ToyId", "Kind"))


def listed(**changes: Any) -> TaskList:
    """Return a paged list with some fields replaced."""
    pages: dict[str, Any] = {
        "page_size_param": "PageSize",
        "page_size": 2,
        "page_param": "PageNumber",
        "page_count": "Pages",
    }
    return TaskList(**{"action": Action(name="ListToys"), "tasks": "Items", **pages, **changes})


@pytest.mark.parametrize(
    "changes",
    [{"page_size_param": None}, {"page_size": 0}, {"page_param": None}, {"page_count": None}],
)
def test_refuses_a_list_with_a_part_of_the_paging_fields(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ListToys: a list has page_param or offset_param, page_size_param, page_size"):
        listed(**changes)


def test_accepts_a_list_without_paging_fields() -> None:
    nothing = {"page_size_param": None, "page_size": 0, "page_param": None, "page_count": None}
    assert not listed(**nothing).has_pages
    assert listed().has_pages


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id": None}, "BeginToy: expected one of id, ids_param, job_ids and named_by."),
        ({"ids_param": "Ids"}, "BeginToy: expected one of id, ids_param, job_ids and named_by."),
        ({"job": "Data.Job"}, "BeginToy: expected both job and job_api, or neither."),
        ({"job_api": "toy.job"}, "BeginToy: expected both job and job_api, or neither."),
        ({"id": None, "ids_param": "ToyIds"}, "BeginToy: 'ToyIds' is none of its parameters ('Name', 'Tag', 'Ids')."),
        ({"client_token": "Token"}, "BeginToy: 'Token' is none of its parameters ('Name', 'Tag', 'Ids')."),
        ({"mark": "Note"}, "BeginToy: 'Note' is none of its parameters ('Name', 'Tag', 'Ids')."),
        ({"encodings": {"Size.X": "integer"}}, "BeginToy: 'Size' is none of its parameters ('Name', 'Tag', 'Ids')."),
        (
            {"encodings": {"Tag": "yaml"}},
            "BeginToy: Tag is encoded as 'yaml'; expected one of ('json', 'map', 'object', 'base64', 'integer', "
            "'number', 'boolean', 'id', 'ids', 'time', 'clock', 'dates', 'list', 'ranges', 'pairs', 'pair').",
        ),
        ({"then": END}, "BeginToy: EndToy has to take one parameter, the new id, besides those of BeginToy."),
    ],
)
def test_refuses_a_start_whose_fields_do_not_fit_together(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        Start(**{"action": BEGIN, "id": "ToyId", **changes})


@pytest.mark.parametrize("changes", [{"id_param": "TaskId"}, {"found": {"Colour": "Colour"}}])
def test_refuses_a_cancel_parameter_that_its_action_does_not_accept(changes: dict[str, Any]) -> None:
    name = "TaskId" if "id_param" in changes else "Colour"
    with pytest.raises(ValueError, match=rf"^EndToy: '{name}' is none of its params \('ToyId', 'Kind'\)\.$"):
        Cancel(**{"action": END, "id_param": "ToyId", **changes})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"starts": (Start(action=BEGIN, id="ToyId"),)},
            "wedata.workflow_run: ProjectId identifies a task, but it is neither a parameter of BeginToy nor in its "
            "names.",
        ),
        (
            {"cancel": Cancel(action=END, id_param="ToyId")},
            "wedata.workflow_run: EndToy needs Kind, which neither identifies a task nor is in found or needs.",
        ),
        (
            {"list_tasks": listed(page_size_param=None, page_size=0, page_param=None, page_count=None)},
            "wedata.workflow_run: list_tasks has no pages, so that it may grow too long to be read.",
        ),
        (
            {"list_tasks": listed(action=END)},
            "wedata.workflow_run: list_tasks needs ToyId, which is none of ('ProjectId',).",
        ),
        ({"id": None}, "wedata.workflow_run: with list_tasks, id must say where a task object holds the task's id."),
    ],
)
def test_refuses_an_api_whose_actions_do_not_fit_it(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        dataclasses.replace(RUN, **changes)


def test_a_start_may_name_the_task_by_constants() -> None:
    start = Start(action=BEGIN, id="ToyId", names={"ProjectId": "1"})
    assert dataclasses.replace(RUN, starts=(start,)).start() == start


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_refuses_requests_per_second_that_are_not_positive_and_finite(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"^GetToy: requests_per_second is .*; expected more than 0\.$"):
        Action(name="GetToy", requests_per_second=seconds)


@pytest.mark.parametrize("name", APIS)
def test_a_catalog_spec_survives_json(name: str) -> None:
    assert TaskApi.from_dict(json.loads(json.dumps(APIS[name].as_dict()))) == APIS[name]


def test_stores_a_custom_spec_whole_and_a_catalog_spec_by_name() -> None:
    own = with_(name="mine.task")
    assert (stored_api(WEDATA_TASK), find_api(stored_api(own))) == ("wedata.task", own)
    assert isinstance(stored_api(with_(id_param="ProjectId")), dict)


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ({"missing": "ignore"}, "missing is 'ignore'; expected one of wait, fail"),
        ({"on_unknown": "skip"}, "on_unknown is 'skip'; expected one of wait, fail"),
    ],
)
def test_refuses_unknown_rules_of_a_wait(rules: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        WaitRules(**rules)


@pytest.mark.parametrize(
    ("api", "given", "text"),
    [
        (WEDATA_TASK, {}, r"wedata.task needs ProjectId in api_params\. It takes: ProjectId\."),
        (WEDATA_TASK, {"ProjectId": ""}, "wedata.task needs ProjectId"),
        (WEDATA_TASK, {"ProjectId": None}, "wedata.task needs ProjectId"),
        (WEDATA_TASK, {"ProjectId": "1", "Project": "1"}, "knows no Project in api_params. It takes: ProjectId"),
        (WEDATA_TASK, {"ProjectId": "1", "TaskId": "2"}, "give TaskId as cloud_task_id, not in api_params"),
        (LKE_TASK, {"TaskType": "t"}, "lke.task needs BotBizId in api_params. It takes: TaskType, BotBizId"),
        (APIS["bdrc.task"], {"Region": "x"}, "bdrc.task knows no Region in api_params. It takes: none"),
    ],
)
def test_refuses_parameters_that_cannot_identify_a_task(api: TaskApi, given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        api.check_params(given)


def test_optional_parameters_may_be_omitted_and_are_listed() -> None:
    api = with_(read=dataclasses.replace(WEDATA_TASK.read, optional=("TimeZone",)))
    api.check_params({"ProjectId": "1"})
    api.check_params({"ProjectId": "1", "TimeZone": "UTC"})
    with pytest.raises(ValueError, match=r"It takes: ProjectId, TimeZone \(optional\)"):
        api.check_params({})


def test_read_parameters_hold_the_tasks_id_and_the_others() -> None:
    assert WEDATA_TASK.parameters("7", {"ProjectId": "1"}) == {"TaskId": "7", "ProjectId": "1"}


def test_returns_a_custom_spec_unchanged() -> None:
    own = with_(name="mine.task")
    assert find_api(own) is own


def test_fills_in_and_escapes_the_console_link() -> None:
    api = with_(console_url="https://c.test/{region}/{ProjectId}?task={id}")
    task = normalise(
        api,
        {"Data": {"TaskBaseAttribute": {"Status": "Y"}}},
        parameters={"TaskId": "a/b&c\ud800", "ProjectId": "1 2"},
        region="ap-guangzhou",
    )
    assert task.console_url == "https://c.test/ap-guangzhou/1%202?task=a%2Fb%26c%3F"


@pytest.mark.parametrize(
    "module",
    [
        "model",
        "errors",
        "values",
        "spec",
        "protocol.normalise",
        "catalog",
        "waiting.verdicts",
        "protocol.explain",
        "starting",
    ],
)
def test_the_core_imports_no_airflow_no_network_and_no_vendor(module: str) -> None:
    heavy = "airflow requests aiohttp urllib3 httpx tenacity alibabacloud_tea_openapi tencentcloud Tea darabonba yaml"
    program = (
        f"import sys, airflow_cloudtasks.{module}\n"
        f"print(*sorted(set({heavy.split()!r}) & {{name.partition('.')[0] for name in sys.modules}}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
