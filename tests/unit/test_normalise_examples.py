"""Each vendor's example answer gives the task written out in tests/data/normalised_*.json, envelope included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tccli

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.errors import NotFound
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.normalise import normalise, normalise_object
from airflow_cloudtasks.waiting.triggerer.sweep import Sweep

from .calls import answer, asked_for

DATA = Path(__file__).parent.parent / "data"
TCCLI = Path(tccli.__path__[0]) / "services"


def normalised(api_name: str, body: bytes, parameters: dict[str, str]) -> dict[str, Any]:
    api = APIS[api_name]
    content = CLOUDS[api.cloud].read(asked_for(api), answer(body))
    return normalise(api, content, parameters=parameters, region="ap-guangzhou").as_dict()


def written_out(name: str) -> dict[str, Any]:
    return json.loads((DATA / f"normalised_{name}.json").read_bytes())


@pytest.mark.parametrize(
    ("name", "api", "parameters"),
    [
        ("bpstudio", "bpstudio.task", {"TaskId": "2615"}),
        ("bdrc", "bdrc.task", {"TaskId": "t-0004d9ctt1ii********"}),
        ("ice", "ice.workflow_task", {"TaskId": "******4215e042b3966ca5441e******"}),
        ("wedata", "wedata.task", {"ProjectId": "2417334454903762944", "TaskId": "20250908225847483"}),
        (
            "lke",
            "lke.task",
            {"TaskId": "8", "TaskType": "ModifyAttributeLabel", "BotBizId": "1767024172536168448"},
        ),
    ],
)
def test_the_answer_in_the_vendors_document(name: str, api: str, parameters: dict[str, str]) -> None:
    assert normalised(api, (DATA / f"seed_{name}.json").read_bytes(), parameters) == written_out(name)


@pytest.mark.parametrize("api", ["bpstudio.operation", "ice.ai_workflow_task"])
def test_an_answer_of_our_own_in_the_shape_of_the_vendors_model(api: str) -> None:
    name = api.replace(".", "_")
    assert normalised(api, (DATA / f"answer_{name}.json").read_bytes(), {APIS[api].id_param: "1"}) == written_out(name)


@pytest.mark.parametrize(
    ("api", "folder", "names"),
    [
        ("wedata.task", "wedata/v20250806", ["wedata"]),
        ("wedata.workflow_run", "wedata/v20250806", ["wedata_workflow_run"]),
        ("wedata.task_run", "wedata/v20250806", ["wedata_task_run"]),
        ("wedata.task_instance", "wedata/v20250806", ["wedata_task_instance"]),
        ("wedata.async_job", "wedata/v20250806", ["wedata_async_job"]),
        ("wedata.sql_run", "wedata/v20250806", ["wedata_sql_run", "wedata_sql_run_running"]),
        ("wedata.backfill", "wedata/v20250806", ["wedata_backfill"]),
        ("lke.task", "lke/v20231130", ["lke"]),
    ],
)
def test_the_answers_in_the_examples_of_tencents_command_line_tool(api: str, folder: str, names: list[str]) -> None:
    examples = json.loads((TCCLI / folder / "examples.json").read_bytes())["actions"][APIS[api].read.name]
    for example, name in zip(examples, names, strict=True):
        parameters = json.loads(example["input"].partition("\n{")[2].join(("{", "")))
        assert normalised(api, example["output"].encode(), parameters) == written_out(name)


@pytest.mark.parametrize(
    ("api", "ids", "state"),
    [
        ("wedata.workflow_run", 10, TaskState.PENDING),
        ("wedata.task_instance", 1, TaskState.SUCCEEDED),
    ],
)
def test_the_lists_in_those_examples_hold_tasks(api: str, ids: int, state: TaskState) -> None:
    spec = APIS[api]
    assert spec.list_tasks is not None
    [example] = json.loads((TCCLI / "wedata/v20250806/examples.json").read_bytes())["actions"][
        spec.list_tasks.action.name
    ]
    content = json.loads(example["output"])["Response"]
    found = dict(Sweep(spec, {"ProjectId": "1"}, []).take(content))
    tasks = [
        normalise_object(spec, task, content, parameters={spec.id_param: task_id}) for task_id, task in found.items()
    ]
    assert [task.id for task in tasks] == list(found)
    assert len(tasks) == ids
    assert {task.state for task in tasks} == {state}


def test_an_answer_without_the_tasks_id_is_of_the_task_that_was_asked_for() -> None:
    api = APIS["lke.task"]
    task = normalise(api, {"Status": "RUNNING"}, parameters={"TaskId": " 8 "})
    assert task.id == "8"


@pytest.mark.parametrize("content", [{}, {"Data": None}])
def test_an_answer_without_a_task_is_of_a_task_that_does_not_exist(content: Any) -> None:
    with pytest.raises(NotFound, match="Check the task's id") as caught:
        normalise(APIS["bpstudio.task"], {**content, "RequestId": "r"}, parameters={"TaskId": "1"})
    assert (caught.value.action, caught.value.request_id) == ("GetTask", "r")


def test_an_answer_that_nothing_identifies_is_malformed() -> None:
    with pytest.raises(Exception, match=r"lke\.task: TaskId holds nothing instead of the task's id"):
        normalise(APIS["lke.task"], {"Status": "RUNNING"}, parameters={})


@pytest.mark.parametrize(
    ("api", "content", "text"),
    [
        ("bpstudio.task", {}, "bpstudio.task: Data holds nothing instead of a task"),
        ("bpstudio.task", {"Data": [1]}, "bpstudio.task: Data holds a JSON list instead of an object"),
        ("bdrc.task", {"Data": {"TaskStatus": {}}}, "bdrc.task: Data.TaskStatus holds a JSON dict instead of a status"),
        ("lke.task", "SUCCESS", "lke.task: the answer holds a JSON str instead of an object"),
    ],
)
def test_a_malformed_answer_says_which_field_holds_what(api: str, content: Any, text: str) -> None:
    with pytest.raises(Exception, match=text) as caught:
        normalise(APIS[api], content, parameters={"TaskId": "1"})
    assert caught.value.action == APIS[api].read.name
