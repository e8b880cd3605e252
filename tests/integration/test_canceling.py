"""CancelCloudTaskOperator on lists and on tasks that have ended."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import BadRequest, CloudApiError, NotFound
from airflow_cloudtasks.hooks.tencent import WeDataHook
from airflow_cloudtasks.operators.cloud_task import CancelCloudTaskOperator

RUN, SQL, BACKFILL = "wedata.workflow_run", "wedata.sql_run", "wedata.backfill"
FIELDS = {"ProjectId": "p1", "WorkflowId": "w1"}
PROJECT: Any = {"api_params": {"ProjectId": "p1"}}


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


def cancel(api: str, ids: str | list[str], **arguments: Any) -> None:
    CancelCloudTaskOperator(task_id="cancel", api=api, cloud_task_id=ids, **PROJECT, **arguments).execute({})


def canceled(cloud: Emulator) -> set[str]:
    return {each["id"] for each in cloud.canceled() if each["ended"]}


@pytest.mark.parametrize("api", [RUN, SQL])
def test_ended_task_fails_unless_already_ended_is_ok(
    cloud: Emulator, api: str, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.add_finished(api, "1", fields=FIELDS)
    with pytest.raises(BadRequest, match="NotCanceled"):
        cancel(api, "1")
    with caplog.at_level(logging.INFO):
        cancel(api, "1", already_ended="ok")


@pytest.mark.parametrize("api", [RUN, SQL])
@pytest.mark.parametrize("workflow", [{}, {"WorkflowId": "w1"}], ids=["one request a task", "one request for all"])
@pytest.mark.parametrize("ids", [["1", "2", "3"], ["2", "1", "3"], ["3", "2", "1"]])
def test_ended_task_of_a_list_does_not_keep_the_others_running(
    cloud: Emulator, api: str, workflow: dict[str, str], ids: list[str]
) -> None:
    params = {"ProjectId": "p1"} | (workflow if api == RUN else {})
    for already_ended in ("ok", "fail"):
        cloud.reset()
        cloud.add_finished(api, "1", fields=FIELDS)
        for running in ("2", "3"):
            cloud.add_running(api, running, fields=FIELDS)
        hook = WeDataHook()
        if already_ended == "ok":
            assert hook.cancel_task(APIS[api], ids, params, already_ended="ok") == ["1"]
        else:
            with pytest.raises(BadRequest, match="NotCanceled"):
                hook.cancel_task(APIS[api], ids, params)
        assert canceled(cloud) == {"2", "3"}


@pytest.mark.parametrize("api", [RUN, SQL])
def test_unknown_task_is_not_taken_for_one_that_has_ended(cloud: Emulator, api: str) -> None:
    cloud.add_running(api, "2", fields=FIELDS)
    with pytest.raises((NotFound, BadRequest)):
        cancel(api, ["1", "2"], already_ended="ok")
    assert canceled(cloud) == {"2"}


def test_a_refused_task_that_runs_is_not_taken_for_one_that_has_ended(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.add_running(SQL, "1", fields=FIELDS)
    monkeypatch.setattr("airflow_cloudtasks.emulator.products.wedata.sql.cancel", lambda *_: False)
    with pytest.raises(BadRequest, match="NotCanceled"):
        cancel(SQL, "1", already_ended="ok")


@pytest.mark.parametrize("fault", ["expired_token", "bad_json"])
def test_a_task_that_cannot_be_asked_is_not_taken_for_one_that_has_ended(cloud: Emulator, fault: str) -> None:
    cloud.add_finished(SQL, "1", fields=FIELDS)
    cloud.fault(fault, api=SQL)
    with pytest.raises(BadRequest, match="Whether 1 has ended could not be read: "):
        cancel(SQL, "1", already_ended="ok")


def test_a_plan_that_was_deleted_has_ended(cloud: Emulator) -> None:
    cloud.add_running(BACKFILL, "1", fields=FIELDS)
    cancel(BACKFILL, "1")
    cancel(BACKFILL, "1", already_ended="ok")
    with pytest.raises(CloudApiError):
        cancel(BACKFILL, "1")


def test_an_error_names_every_task_that_was_not_canceled(cloud: Emulator) -> None:
    for task_id in ("1", "2"):
        cloud.add_finished(RUN, task_id, fields=FIELDS)
    with pytest.raises(BadRequest) as caught:
        cancel(RUN, ["1", "2", "unknown"])
    assert caught.value.message.count("And: ") >= 1


def test_refuses_another_value_when_the_dag_is_parsed() -> None:
    with pytest.raises(ValueError, match="already_ended is 'maybe'; expected fail or ok"):
        CancelCloudTaskOperator(task_id="c", api=SQL, cloud_task_id="1", already_ended="maybe", **PROJECT)  # type: ignore[arg-type]
