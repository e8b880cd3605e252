"""What a start request knows reaches the requests that read, list and cancel its task, where these take it."""

from __future__ import annotations

import json

import pytest

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.cancel_requests import cancel_requests
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.start_requests import identifying_params
from airflow_cloudtasks.spec import Action, Cancel, Service, Start, TaskApi, TaskList
from airflow_cloudtasks.starting.asked import needed_params
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule

from .test_schedule import Wait

API = TaskApi(
    name="toys.toy",
    service=Service(cloud="tencent", name="toys", version="2026-01-31"),
    read=Action(name="GetToy", params=("TaskId",), optional=("Team", "Brief")),
    states={"DONE": TaskState.SUCCEEDED},
    id="TaskId",
    list_tasks=TaskList(
        action=Action(name="ListToys", optional=("Team",)),
        tasks="Toys",
        page_size_param="PageSize",
        page_size=100,
        page_param="PageNumber",
        page_count="Pages",
    ),
    starts=(
        Start(
            action=Action(name="MakeToy", params=("Factory",), optional=("Team", "Brief", "Colour", "Yard")),
            id="TaskId",
            encodings={"Brief": "boolean"},
        ),
    ),
    cancel=Cancel(
        action=Action(name="EndToy", params=("TaskId", "Factory"), optional=("Team", "Colour", "Yard")),
        needs=("Factory", "Yard"),
    ),
)
STARTED = {"Factory": "f1", "Team": "t1", "Colour": "red", "Brief": True}


def test_a_start_passes_on_what_names_the_task_and_what_its_cancellation_needs() -> None:
    assert identifying_params(API, API.starts[0], STARTED) == {"Team": "t1", "Factory": "f1"}
    assert identifying_params(API, API.starts[0], {"Factory": "f1", "Team": ""}) == {"Factory": "f1"}


def test_a_later_try_has_what_the_cancellation_needs() -> None:
    assert needed_params(API, API.starts[0], STARTED) == {"Factory": "f1", "Team": "t1", "Brief": "True"}


def test_reads_with_the_optional_name_and_without_what_only_the_cancellation_needs() -> None:
    carried = identifying_params(API, API.starts[0], STARTED)
    API.check_params(carried)
    assert API.parameters("7", carried) == {"TaskId": "7", "Team": "t1"}
    assert API.parameters("7", {}) == {"TaskId": "7"}


def test_cancels_with_the_optional_name_and_with_what_the_start_knew() -> None:
    # Colour is no name of the task, although both requests have a parameter of that name.
    request = {"TaskId": "7", "Factory": "f1", "Team": "t1"}
    assert cancel_requests(API, ["7"], STARTED) == [request]
    assert cancel_requests(API, ["7"], {"Factory": "f1"}) == [{"TaskId": "7", "Factory": "f1"}]


def test_cancels_with_an_optional_parameter_that_the_start_knew() -> None:
    known = identifying_params(API, API.starts[0], {**STARTED, "Yard": "y1"})
    assert known == {"Team": "t1", "Factory": "f1", "Yard": "y1"}
    assert cancel_requests(API, ["7"], known) == [{"TaskId": "7", "Factory": "f1", "Team": "t1", "Yard": "y1"}]


def test_the_error_names_what_the_cancellation_of_a_task_needs() -> None:
    with pytest.raises(InvalidArguments, match=r"toys\.toy: EndToy needs Factory"):
        cancel_requests(API, ["7"], {})
    with pytest.raises(
        InvalidArguments,
        match=r"It takes: Team \(optional\), Brief \(optional\), Factory \(optional\), Yard \(optional\)",
    ):
        API.check_params({"Other": "x"})


def test_refuses_a_name_that_is_no_id_before_the_start() -> None:
    with pytest.raises(InvalidArguments, match=r"MakeToy: Team is 1\.5, a float"):
        encode(API, API.starts[0], {"Factory": "f1", "Team": 1.5})


def test_reads_a_list_for_each_optional_name() -> None:
    schedule = Schedule(API)
    scopes = [
        schedule.add(API.parameters(task_id, params), Wait().watch, 0.0).scope.list_params
        for task_id, params in (("7", {"Team": "t1"}), ("8", {"Team": "t2"}), ("9", {}), ("10", {"Team": "t1"}))
    ]
    assert scopes == [{"Team": "t1"}, {"Team": "t2"}, {}, {"Team": "t1"}]
    assert scopes[0] is scopes[3]


def test_survives_json() -> None:
    assert TaskApi.from_dict(json.loads(json.dumps(API.as_dict()))) == API
