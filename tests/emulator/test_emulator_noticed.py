"""When an answer first showed the end of a task."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from alibabacloud_bdrc20230808.client import Client as BdrcClient
from alibabacloud_bdrc20230808.models import DescribeTasksRequest
from alibabacloud_ice20201109.client import Client as IceClient
from alibabacloud_ice20201109.models import GetWorkflowTaskRequest, ListWorkflowTasksRequest
from alibabacloud_tea_openapi.models import Config

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.emulator.control.errors import BadInputError

if TYPE_CHECKING:
    from conftest import Client


def config_for(emulator: Emulator) -> Config:
    return Config(
        access_key_id="emulator-id",
        access_key_secret="emulator-secret",
        protocol="HTTP",
        endpoint=f"127.0.0.1:{emulator.port}",
        region_id="cn-shanghai",
    )


def read_ice(emulator: Emulator, task_id: str) -> None:
    IceClient(config_for(emulator)).get_workflow_task(GetWorkflowTaskRequest(task_id=task_id))


def list_ice(emulator: Emulator, **asked: Any) -> None:
    IceClient(config_for(emulator)).list_workflow_tasks(ListWorkflowTasksRequest(**asked))


def list_bdrc(emulator: Emulator, **asked: Any) -> None:
    BdrcClient(config_for(emulator)).describe_tasks(DescribeTasksRequest(**asked))


def ids(emulator: Emulator, api: str | None = None) -> list[str]:
    return [task["id"] for task in emulator.noticed(api)]


def test_a_single_read_notices_an_end_once(cloudtasks_emulator: Emulator) -> None:
    created = time.time()
    cloudtasks_emulator.add_task("ice.workflow_task", "t1", ("Processing", 0.2), ("Processing", 0.1), "Succeed")
    read_ice(cloudtasks_emulator, "t1")
    assert cloudtasks_emulator.noticed() == []
    time.sleep(0.35)
    assert cloudtasks_emulator.noticed() == []
    asked = time.time()
    read_ice(cloudtasks_emulator, "t1")
    answered = time.time()
    (noticed,) = cloudtasks_emulator.noticed()
    assert (noticed["api"], noticed["id"]) == ("ice.workflow_task", "t1")
    assert created + 0.3 <= noticed["ended_at"] < created + 0.35
    assert asked <= noticed["noticed_at"] <= answered
    read_ice(cloudtasks_emulator, "t1")
    list_ice(cloudtasks_emulator)
    assert cloudtasks_emulator.noticed() == [noticed]


def test_a_list_notices_the_tasks_that_it_shows_and_no_others(cloudtasks_emulator: Emulator) -> None:
    for number in range(20):
        cloudtasks_emulator.add_task("bdrc.task", f"t{number}", ("RUNNING", 9 if number % 2 else 99), "COMPLETE")
    cloudtasks_emulator.add_task("ice.workflow_task", "i1", "Succeed")
    list_bdrc(cloudtasks_emulator, max_results=500)
    assert ids(cloudtasks_emulator) == []
    cloudtasks_emulator.advance(9)
    list_bdrc(cloudtasks_emulator, task_status="RUNNING")
    assert ids(cloudtasks_emulator) == []
    list_bdrc(cloudtasks_emulator)
    assert ids(cloudtasks_emulator) == [f"t{number}" for number in range(11, 20, 2)]
    list_ice(cloudtasks_emulator)
    assert ids(cloudtasks_emulator, "ice.workflow_task") == ["i1"]
    assert len(cloudtasks_emulator.noticed("bdrc.task")) == 5


def test_notices_tencents_tasks_too(client: Client) -> None:
    client.emulator.add_task("lke.task", "8", ("RUNNING", 9), "SUCCESS", fields={"BotBizId": "b1"})
    client.emulator.add_task("lke.task", "8", ("RUNNING", 9), "SUCCESS", fields={"BotBizId": "b2"})
    client.emulator.advance(9)
    client.lke(bot="b2")
    assert len(client.emulator.noticed("lke.task")) == 1


@pytest.mark.parametrize("kind", ["bad_json", "reset", "http_500", "throttle"])
def test_a_spoiled_answer_notices_nothing(client: Client, kind: str) -> None:
    client.emulator.add_task("ice.workflow_task", "t1", "Succeed")
    client.emulator.fault(kind, count=1)
    try:
        client.ice()
    except ConnectionError:
        assert kind == "reset"
    assert client.emulator.noticed() == []
    client.ice()
    assert ids(client.emulator) == ["t1"]


def test_a_delayed_answer_notices_an_end_when_it_is_sent(client: Client) -> None:
    client.emulator.add_task("ice.workflow_task", "t1", "Succeed")
    client.emulator.latency(0.2)
    client.ice()
    (noticed,) = client.emulator.noticed()
    assert noticed["noticed_at"] - noticed["ended_at"] >= 0.2


def test_a_restarted_task_can_be_noticed_again_and_reset_forgets_it(client: Client) -> None:
    client.emulator.add_task("ice.workflow_task", "t1", "Succeed")
    client.ice()
    client.emulator.add_task("ice.workflow_task", "t1", ("Processing", 9), "Succeed")
    assert client.emulator.noticed() == []
    client.emulator.advance(9)
    client.ice()
    assert ids(client.emulator) == ["t1"]
    client.emulator.reset()
    assert client.emulator.noticed() == []


def test_the_control_plane_returns_the_noticed_tasks(client: Client) -> None:
    client.emulator.add_task("ice.workflow_task", "t1", "Succeed")
    client.emulator.add_task("bdrc.task", "t1", "COMPLETE")
    client.ice()
    client.bdrc()
    assert client.control("GET", "noticed").json == {"noticed": client.emulator.noticed()}
    shown = client.control("GET", "noticed?api=bdrc.task").json["noticed"]
    assert shown == client.emulator.noticed("bdrc.task")
    assert len(shown) == 1
    # Only tasks end, so only the APIs of tasks are known here.
    assert (
        f"api: expected one of {', '.join(client.emulator.registry.task_apis)}"
        in client.control("GET", "noticed?api=bdrc.task_list").json["error"]
    )
    with pytest.raises(BadInputError, match="api: expected one of"):
        client.emulator.noticed("ice")
