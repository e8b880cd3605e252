"""An answer of each API is normalised to the task beside it in tests/examples, envelope included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from api_examples import EXAMPLES, FOLDER, Example, examples_of

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.errors import NotFound
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.normalise import normalise, normalise_object
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.values import at
from airflow_cloudtasks.waiting.triggerer.sweep import Sweep

from .calls import answer, read_call
from .every_action import example_bodies, example_inputs, example_outputs


def normalised(api: TaskApi, body: bytes, parameters: Mapping[str, Any]) -> dict[str, Any]:
    content = CLOUDS[api.cloud].read(read_call(api), answer(body))
    return normalise(api, content, parameters=parameters, region="ap-guangzhou").as_dict()


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_example_answer_of_an_api_is_normalised_to_the_task_beside_it(example: Example) -> None:
    assert normalised(example.api, example.body, example.parameters) == example.task


def test_an_api_without_an_example_is_reported_with_the_file_to_write() -> None:
    api = replace(APIS["lke.task"], name="lke.other")
    [example] = examples_of(api)
    for file in ("answer", "task"):
        with pytest.raises(
            AssertionError, match=f"lke.other has no example: write tests/examples/lke.other/{file}.json"
        ):
            getattr(example, "body" if file == "answer" else file)


def test_every_folder_of_examples_is_of_an_api() -> None:
    assert {folder.name for folder in FOLDER.iterdir()} <= set(APIS)


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.cloud == "tencent"])
def test_the_answers_in_the_examples_of_tencents_command_line_tool(name: str) -> None:
    api = APIS[name]
    tasks = [example.task for example in examples_of(api)]
    both = list(zip(example_inputs(api, api.read), example_bodies(api, api.read), strict=True))
    assert both
    shown = [(parameters, body) for parameters, body in both if at(json.loads(body)["Response"], api.task) is not None]
    assert [normalised(api, body, parameters) for parameters, body in shown] == tasks[: len(shown)]


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
    [content] = example_outputs(spec, spec.list_tasks.action)
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
