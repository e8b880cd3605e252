"""The arguments of a watcher's trigger: what is refused when a DAG is parsed, and what Airflow stores."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from airflow_cloudtasks.assets import CloudTaskEndedTrigger
from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.version_compat import AIRFLOW_RELEASE, AIRFLOW_VERSION, IS_AIRFLOW_2

PROJECT = {"ProjectId": "24"}
only_airflow_3 = pytest.mark.skipif(IS_AIRFLOW_2, reason="Airflow 2 has no event triggers")


@pytest.mark.skipif(not IS_AIRFLOW_2, reason="Airflow 3 has event triggers")
def test_is_refused_with_one_sentence_on_airflow_2() -> None:
    with pytest.raises(InvalidArguments) as refused:
        CloudTaskEndedTrigger("wedata.workflow_run", api_params=PROJECT)
    assert str(refused.value) == (
        "CloudTaskEndedTrigger needs Airflow 3.0 or newer, which starts DAGs by events; this is Airflow "
        f"{AIRFLOW_RELEASE}."
    )


@only_airflow_3
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"api": "lke.task"}, "lke.task cannot be watched: none of its lists shows when a task ended"),
        ({"api": "lke.task"}, "wedata.workflow_run"),
        ({"api_params": {}}, "needs ProjectId in api_params. It takes: ProjectId"),
        ({"api_params": PROJECT | {"Projekt": "1"}}, "knows no Projekt in api_params"),
        ({"states": ["success"]}, "states has 'success'; expected some of succeeded, failed"),
        ({"states": ["running"]}, "states has 'running'"),
        ({"since": "yesterday"}, "since is 'yesterday'; expected Unix seconds or a time as in"),
    ],
)
def test_refuses_wrong_arguments_when_the_dag_is_parsed(arguments: dict[str, Any], text: str) -> None:
    given = {"api": "wedata.workflow_run", "api_params": PROJECT} | arguments
    with pytest.raises(InvalidArguments) as refused:
        CloudTaskEndedTrigger(**given)
    assert text in str(refused.value)


@only_airflow_3
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"conn_id": "a", "region": "ap-guangzhou", "states": ("failed", "expired"), "where": {"WorkflowId": "7"}},
        {"states": "failed", "dag_id": "pipeline", "since": "2026-01-31"},
        {"api": APIS["wedata.workflow_run"], "since": time.time()},
    ],
)
def test_is_rebuilt_from_what_airflow_stores(arguments: dict[str, Any]) -> None:
    given = {"api": "wedata.workflow_run", "api_params": PROJECT} | arguments
    path, kwargs = CloudTaskEndedTrigger(**given).serialize()
    assert path == "airflow_cloudtasks.assets.cloud_task_ended.CloudTaskEndedTrigger"
    again = CloudTaskEndedTrigger(**json.loads(json.dumps(kwargs)))
    assert again.serialize() == (path, kwargs)


@only_airflow_3
def test_an_asset_takes_it_as_a_watcher() -> None:
    from airflow.sdk import Asset, AssetWatcher
    from airflow.triggers.base import BaseEventTrigger

    trigger = CloudTaskEndedTrigger("wedata.workflow_run", api_params=PROJECT)
    asset = Asset("runs", watchers=[AssetWatcher(name="ends", trigger=trigger)])
    assert isinstance(asset.watchers[0].trigger, BaseEventTrigger)
    path, kwargs = trigger.serialize()
    assert BaseEventTrigger.hash(path, kwargs) == BaseEventTrigger.hash(path, json.loads(json.dumps(kwargs)))


@pytest.mark.skipif(AIRFLOW_VERSION < (3, 3), reason="Airflow shares streams since 3.3")
def test_watchers_share_a_stream_if_they_watch_the_same() -> None:
    def key(**arguments: Any) -> Any:
        given = {"api": "wedata.workflow_run", "api_params": PROJECT} | arguments
        return CloudTaskEndedTrigger(**given).shared_stream_key()

    assert key() == key(states=["failed"]) == key(dag_id="x", since=1.0, where={"WorkflowId": "7"})
    others = [key(), key(conn_id="a"), key(region="b"), key(api_params={"ProjectId": "25"})]
    assert len(set(others)) == len(others)


@only_airflow_3
def test_where_chooses_by_the_vendors_fields() -> None:
    from airflow_cloudtasks.model import CloudTask, TaskState

    def task(**detail: Any) -> CloudTask:
        return CloudTask(api="a", cloud="tencent", id="1", state=TaskState.SUCCEEDED, detail=detail)

    trigger = CloudTaskEndedTrigger("wedata.workflow_run", api_params=PROJECT, where={"WorkflowId": "7", "Owner.Id": 1})
    assert trigger._matches(task(WorkflowId=7, Owner={"Id": "1"}))
    assert not trigger._matches(task(WorkflowId="7"))
    assert not trigger._matches(task(WorkflowId="8", Owner={"Id": "1"}))
