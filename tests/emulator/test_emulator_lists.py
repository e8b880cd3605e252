"""Lists of tasks, read with the vendors' own clients."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from alibabacloud_bdrc20230808.client import Client as BdrcClient
from alibabacloud_bdrc20230808.models import DescribeTasksRequest
from alibabacloud_ice20201109.client import Client as IceClient
from alibabacloud_ice20201109.models import ListWorkflowTasksRequest
from vendor_clients import alibaba_config

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.client import Account, CloudClient
from airflow_cloudtasks.clouds.credentials.source import StaticCredentials
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Location
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.values import at

if TYPE_CHECKING:
    from conftest import Client

    from airflow_cloudtasks.emulator import Emulator
    from airflow_cloudtasks.spec import TaskApi

BDRC, ICE = "bdrc.task", "ice.workflow_task"
ELSE = base64.b64encode(b"else 3").decode()


class Bdrc:
    """DescribeTasks through Alibaba Cloud's client."""

    api, listed, action, status = BDRC, "bdrc.task_list", "DescribeTasks", "COMPLETE"

    def __init__(self, emulator: Emulator, secret: str = "emulator-secret") -> None:
        self._client = BdrcClient(alibaba_config(emulator, secret))

    def page(self, **asked: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        body = self._client.describe_tasks(DescribeTasksRequest(**asked)).body.to_map()
        assert body["RequestId"]
        return body["Data"].pop("Content"), body["Data"]


class Ice:
    """ListWorkflowTasks through Alibaba Cloud's client."""

    api, listed, action, status = ICE, "ice.workflow_task_list", "ListWorkflowTasks", "Succeed"

    def __init__(self, emulator: Emulator, secret: str = "emulator-secret") -> None:
        self._client = IceClient(alibaba_config(emulator, secret))

    def page(self, **asked: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        body = self._client.list_workflow_tasks(ListWorkflowTasksRequest(**asked)).body.to_map()
        assert body["RequestId"]
        return body.pop("TaskList"), body


def ids(tasks: list[dict[str, Any]]) -> list[str]:
    return [task["TaskId"] for task in tasks]


def add(emulator: Emulator, api: str, numbers: range) -> None:
    for number in numbers:
        emulator.add_task(api, f"t{number}", "COMPLETE" if api == BDRC else "Succeed")


both = pytest.mark.parametrize("kind", [Bdrc, Ice], ids=["bdrc", "ice"])


@both
def test_pages_follow_each_other_newest_tasks_first(cloudtasks_emulator: Emulator, kind: type[Bdrc | Ice]) -> None:
    add(cloudtasks_emulator, kind.api, range(25))
    client, asked, pages = kind(cloudtasks_emulator), {}, []
    while True:
        tasks, rest = client.page(**asked)
        pages.append(ids(tasks))
        assert rest["MaxResults"] == 10
        assert "TotalCount" not in rest
        if not rest.get("NextToken"):
            break
        asked = {"next_token": rest["NextToken"]}
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [task_id for page in pages for task_id in page] == [f"t{number}" for number in reversed(range(25))]
    entries = cloudtasks_emulator.requests(kind.listed)
    assert [(entry["action"], entry["outcome"]) for entry in entries] == [(kind.action, "ok")] * 3
    assert entries[1]["parameters"].keys() == {"NextToken"}
    assert cloudtasks_emulator.totals()[kind.listed]["total"] == 3


@both
def test_a_page_that_the_oldest_task_fills_has_no_next_page(
    cloudtasks_emulator: Emulator, kind: type[Bdrc | Ice]
) -> None:
    add(cloudtasks_emulator, kind.api, range(10))
    tasks, rest = kind(cloudtasks_emulator).page()
    assert len(tasks) == 10
    assert not rest.get("NextToken")


@both
def test_a_list_without_tasks_is_empty(cloudtasks_emulator: Emulator, kind: type[Bdrc | Ice]) -> None:
    add(cloudtasks_emulator, "bpstudio.task", range(3))
    tasks, rest = kind(cloudtasks_emulator).page()
    assert tasks == []
    assert not rest.get("NextToken")


@both
def test_a_page_token_stays_valid_while_tasks_are_added_end_and_restart(
    cloudtasks_emulator: Emulator, kind: type[Bdrc | Ice]
) -> None:
    for number in range(20):
        cloudtasks_emulator.add_task(kind.api, f"t{number}", ("RUNNING", 60), kind.status)
    client = kind(cloudtasks_emulator)
    tasks, rest = client.page()
    assert ids(tasks) == [f"t{number}" for number in reversed(range(10, 20))]
    add(cloudtasks_emulator, kind.api, range(20, 25))
    # The task that the token names restarts, which makes it the newest.
    cloudtasks_emulator.add_task(kind.api, "t10", kind.status)
    cloudtasks_emulator.advance(60)
    tasks, rest = client.page(next_token=rest["NextToken"])
    assert ids(tasks) == [f"t{number}" for number in reversed(range(10))]
    assert not rest.get("NextToken")
    assert ids(client.page()[0])[:2] == ["t10", "t24"]


@both
@pytest.mark.parametrize("other", ["x", "ü", "{}=", "{}x", "x{}", ELSE])
def test_refuses_a_page_token_that_no_answer_gave(
    cloudtasks_emulator: Emulator, kind: type[Bdrc | Ice], other: str
) -> None:
    add(cloudtasks_emulator, kind.api, range(11))
    client = kind(cloudtasks_emulator)
    token = client.page()[1]["NextToken"]
    with pytest.raises(Exception, match="NextToken is not valid") as raised:
        client.page(next_token=other.format(token))
    assert (raised.value.code, raised.value.status_code) == ("InvalidParameter", 400)


def test_refuses_a_page_token_of_another_list(cloudtasks_emulator: Emulator) -> None:
    add(cloudtasks_emulator, BDRC, range(11))
    token = Bdrc(cloudtasks_emulator).page()[1]["NextToken"]
    with pytest.raises(Exception, match="NextToken is not valid"):
        Ice(cloudtasks_emulator).page(next_token=token)


@both
def test_refuses_a_list_signed_with_a_wrong_secret(cloudtasks_emulator: Emulator, kind: type[Bdrc | Ice]) -> None:
    with pytest.raises(Exception, match="signature does not match"):
        kind(cloudtasks_emulator, "wrong").page()


@both
def test_limits_count_lists_separately_from_single_reads(
    client: Client, cloudtasks_emulator: Emulator, kind: type[Bdrc | Ice]
) -> None:
    cloudtasks_emulator.limit(0.02)
    kind(cloudtasks_emulator).page()
    assert (client.bdrc() if kind is Bdrc else client.ice()).code == "InvalidTaskId.NotFound"
    with pytest.raises(Exception, match="flow control") as raised:
        kind(cloudtasks_emulator).page()
    assert raised.value.code == "Throttling.User"
    assert cloudtasks_emulator.totals()[kind.listed]["refused"] == 1


@both
def test_faults_strike_lists_too(cloudtasks_emulator: Emulator, kind: type[Bdrc | Ice]) -> None:
    cloudtasks_emulator.fault(["http_500", "expired_token"], count=2)
    codes = []
    for _ in range(2):
        with pytest.raises(Exception, match=r"Error|expired") as raised:
            kind(cloudtasks_emulator).page()
        codes.append(raised.value.code)
    assert codes == ["InternalError", "InvalidSecurityToken.Expired"]
    assert kind(cloudtasks_emulator).page()[0] == []


def test_bdrc_lists_a_task_as_the_single_read_shows_it(client: Client) -> None:
    emulator = client.emulator
    emulator.add_task(BDRC, "t1", ("RUNNING", 60), "FAILED", fields={"ErrorMessage": "no", "TaskResult": "{}"})
    for seconds in (0, 60):
        emulator.advance(seconds)
        one, ((listed,), _) = client.bdrc().json["Data"], Bdrc(emulator).page()
        # The progress goes on between the two requests.
        assert {**listed, "Progress": 0} == {**one, "Progress": 0}
        assert ("CompleteTime" in listed, listed["TaskStatus"]) == ((True, "FAILED") if seconds else (False, "RUNNING"))


@pytest.mark.parametrize(("asked", "used"), [(None, 10), (-1, 10), (0, 10), (9, 10), (11, 11), (500, 500), (501, 500)])
def test_bdrc_clamps_a_page_size_to_its_bounds(cloudtasks_emulator: Emulator, asked: int | None, used: int) -> None:
    add(cloudtasks_emulator, BDRC, range(505))
    tasks, rest = Bdrc(cloudtasks_emulator).page(max_results=asked)
    assert (len(tasks), rest["MaxResults"]) == (used, used)


def test_bdrc_filters_by_status_and_type(cloudtasks_emulator: Emulator) -> None:
    for number in range(40):
        status = "RUNNING" if number % 2 else "COMPLETE"
        kind = "CHECK_RULES" if number % 4 < 2 else "TEST"
        cloudtasks_emulator.add_task(BDRC, f"t{number}", status, fields={"TaskType": kind})
    client = Bdrc(cloudtasks_emulator)
    tasks, rest = client.page(task_status="RUNNING")
    assert ids(tasks) == [f"t{number}" for number in range(39, 19, -2)]
    tasks, rest = client.page(task_status="RUNNING", next_token=rest["NextToken"])
    assert ids(tasks) == [f"t{number}" for number in range(19, 0, -2)]
    assert "NextToken" not in rest
    assert ids(client.page(task_status="RUNNING", task_type="TEST")[0]) == [f"t{n}" for n in range(39, 0, -4)]
    assert client.page(task_status="CANCELED")[0] == []


@pytest.mark.parametrize("asked", [{"task_status": "Running"}, {"max_results": "many"}])
def test_bdrc_refuses_an_invalid_parameter(cloudtasks_emulator: Emulator, asked: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="is not valid") as raised:
        Bdrc(cloudtasks_emulator).page(**asked)
    assert raised.value.code == "InvalidParameter"


def test_ice_lists_a_task_without_its_activities(client: Client) -> None:
    fields = {"ActivityResults": "[]", "UserData": "mine", "Workflow": {"Name": "Mine"}}
    client.emulator.add_task(ICE, "t1", "Failed", fields=fields)
    one, ((listed,), _) = client.ice().json["WorkflowTask"], Ice(client.emulator).page()
    assert one.pop("ActivityResults") == "[]"
    assert listed["Workflow"].pop("MediaType") == "Media"
    assert listed == one
    raw = client.send(client.prepare_alibaba("ListWorkflowTasks")).json
    assert raw.keys() == {"RequestId", "TaskList", "MaxResults", "NextToken"}
    assert "ActivityResults" not in raw["TaskList"][0]


def test_ice_filters_by_workflow_and_text(cloudtasks_emulator: Emulator) -> None:
    for number in range(4):
        workflow = {"WorkflowId": f"w{number % 2}", "Name": f"Workflow {number}"}
        cloudtasks_emulator.add_task(
            ICE, f"t{number}", "Init", fields={"Workflow": workflow, "TaskInput": f"oss://video-{number}.mp4"}
        )
    cloudtasks_emulator.add_task(ICE, "odd", "Init", fields={"Workflow": None, "TaskInput": None})
    client = Ice(cloudtasks_emulator)
    assert ids(client.page(workflow_id="w1")[0]) == ["t3", "t1"]
    assert ids(client.page(workflow_name="Workflow 2")[0]) == ["t2"]
    assert ids(client.page(workflow_id="w1", workflow_name="Workflow 2")[0]) == []
    assert ids(client.page(key_text="video-3")[0]) == ["t3"]
    assert len(client.page()[0]) == 5


def test_ice_filters_by_creation_time_within_90_days(cloudtasks_emulator: Emulator) -> None:
    now = time.time()
    for days in (91, 89, 2, 1, 0):
        cloudtasks_emulator.add_task(ICE, f"d{days}", "Succeed", fields={"CreateTime": iso_utc(now - days * 86_400)})
    client = Ice(cloudtasks_emulator)
    start, end = iso_utc(now - 2 * 86_400), iso_utc(now - 86_400)
    assert ids(client.page()[0]) == ["d0", "d1", "d2", "d89"]
    assert ids(client.page(start_of_create_time=start)[0]) == ["d0", "d1", "d2"]
    assert ids(client.page(end_of_create_time=end)[0]) == ["d1", "d2", "d89"]
    assert ids(client.page(start_of_create_time=start, end_of_create_time=end)[0]) == ["d1", "d2"]
    assert ids(client.page(start_of_create_time="2000-01-01T00:00:00Z")[0]) == ["d0", "d1", "d2", "d89"]


@pytest.mark.parametrize(
    "asked",
    [
        {"max_results": 0},
        {"max_results": 101},
        {"max_results": "ten"},
        {"key_text": "x" * 33},
        {"start_of_create_time": "2026-01-01 00:00:00"},
        {"end_of_create_time": "1767225600"},
    ],
)
def test_ice_refuses_an_invalid_parameter(cloudtasks_emulator: Emulator, asked: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="is not valid") as raised:
        Ice(cloudtasks_emulator).page(**asked)
    assert raised.value.code == "InvalidParameter"


def test_ice_accepts_page_sizes_from_1_to_100(cloudtasks_emulator: Emulator) -> None:
    add(cloudtasks_emulator, ICE, range(101))
    client = Ice(cloudtasks_emulator)
    for size in (1, 100):
        tasks, rest = client.page(max_results=size)
        assert (len(tasks), rest["MaxResults"]) == (size, size)
        assert rest["NextToken"]


SCOPED = [name for name, api in APIS.items() if api.list_tasks and api.list_tasks.action.accepted]


def listed(emulator: Emulator, api: TaskApi, scope: str) -> list[str]:
    """The ids on all pages of an API's list, of which each page has one task."""
    assert api.list_tasks is not None
    account = Account(
        cloud=api.cloud,
        credentials=StaticCredentials(Credentials("emulator-id", "emulator-secret")),
        location=Location("cn-shanghai"),
        endpoints={"*": Endpoint.parse(emulator.url)},
    )
    one_each = replace(api.list_tasks, page_size=1)
    pages = Pages(one_each, dict.fromkeys(api.list_tasks.action.accepted, scope), api.name)
    found: list[str] = []
    while pages.next_page is not None:
        page = pages.take(CloudClient(account).call(api.service, one_each.action, pages.next_page))
        found += [str(at(task, api.id or "")) for task in page]
    return found


@pytest.mark.parametrize("name", SCOPED)
def test_a_list_shows_only_the_tasks_of_its_scope(cloudtasks_emulator: Emulator, name: str) -> None:
    api = APIS[name]
    assert api.list_tasks is not None
    for number, scope in enumerate(("1", "2", "1", "2", "2"), 11):
        fields = dict.fromkeys(api.list_tasks.action.accepted, scope)
        cloudtasks_emulator.add_running(name, str(number), fields=fields)
    assert listed(cloudtasks_emulator, api, "1") == ["13", "11"]
    assert listed(cloudtasks_emulator, api, "2") == ["15", "14", "12"]
    assert listed(cloudtasks_emulator, api, "3") == []
