"""The vendors' own clients, unchanged, start, read, list and cancel a task of every API in the emulator.

Their requests are those of the catalog; starts have every parameter. Each client is imported once, by this file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from alibaba_packages import call, imported
from alibaba_requests import on_our_wire, on_the_vendors_wire
from alibabacloud_tea_openapi.models import Config
from contract.definitions import defined_actions, defined_hosts
from contract.hosts import hosts_of_alibaba
from contract.requests import TASK_IDS, requests, start_parameters
from task_owners import owner_of
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from vendor_clients import alibaba_config, tccli

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import NotFound
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.cancel_requests import cancel_requests, refusals
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.explain import FAILED_PARTS, explanation
from airflow_cloudtasks.protocol.normalise import normalise, normalise_object
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.protocol.rows import RowReading, results_of
from airflow_cloudtasks.protocol.start_requests import identifying_params, read_start_answer
from airflow_cloudtasks.values import at, load_json, text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow_cloudtasks.emulator import Emulator
    from airflow_cloudtasks.spec import Action, Start, TaskApi

TASK_ID = TASK_IDS[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for tccli: it takes long to write its configuration, and keeps it."""
    return tmp_path_factory.mktemp("home")


def native(api: TaskApi, action: Action, request: Mapping[str, Any]) -> dict[str, Any]:
    """A request without the JSON that Alibaba Cloud's client makes itself."""
    defined = defined_actions(api.service)[action.name]["parameters"]
    return {name: load_json(value) if defined[name].get("json") else value for name, value in request.items()}


class Vendor:
    """The vendor's own client of an API."""

    def __init__(self, api: TaskApi, emulator: Emulator, home: Path, secret: str = "emulator-secret") -> None:
        self._api, self._emulator, self._home, self._secret = api, emulator, home, secret

    def call(self, action: Action, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request, as the client returns it."""
        request = action.request(parameters, region="cn-shanghai")
        return self._by_tccli(action, request) if self._api.cloud == "tencent" else self._by_sdk(action, request)

    def _by_tccli(self, action: Action, request: dict[str, Any]) -> dict[str, Any]:
        file = self._home / "request.json"
        file.write_text(json.dumps(request))
        service = self._api.service
        where = (service.name, action.name, "--version", service.version, "--cli-input-json", f"file://{file}")
        answer: dict[str, Any] = tccli(self._emulator, self._home, where, secret=self._secret)
        return answer

    def _by_sdk(self, action: Action, request: dict[str, Any]) -> dict[str, Any]:
        service = self._api.service
        client = imported(service.name, service.version, "client").Client(alibaba_config(self._emulator, self._secret))
        body = getattr(call(client, self._api, action, native(self._api, action, request)), "body", None)
        # An answer that the client takes for a file says nothing of the task.
        answer: dict[str, Any] = body.to_map() if hasattr(body, "to_map") else {}
        return answer

    def read(self, task_id: str, known: Mapping[str, Any]) -> CloudTask:
        given = self._api.parameters(task_id, {**dict.fromkeys(self._api.task_params, "1"), **known})
        return normalise(self._api, self.call(self._api.read, given), parameters=given)

    def start(self, start: Start) -> tuple[str, dict[str, str]]:
        """Start a task; return its id and what else identifies it."""
        given = start_parameters(self._api, start, start.action.accepted)
        sent = encode(self._api, start, given)
        answer = self.call(start.action, sent)
        found = read_start_answer(self._api, start, given, answer)
        known = identifying_params(self._api, start, given)
        if start.then is not None:
            self.call(start.then, start.then_parameters(found.ids[0], sent))
        if start.job_ids is None:
            return found.ids[0], known
        assert start.job is not None
        assert start.job_api is not None
        self._emulator.advance(60)
        job = Vendor(APIS[start.job_api], self._emulator, self._home).read(str(at(answer, start.job)), {})
        return str(at(job.detail, start.job_ids)[0]), known

    def listed(self, known: Mapping[str, Any]) -> list[CloudTask]:
        """The tasks on the first page of the list."""
        listing = self._api.list_tasks
        assert listing is not None
        names = {**dict.fromkeys(listing.action.params, "1"), **known}
        pages = Pages(listing, {name: names[name] for name in listing.action.params}, self._api.name)
        assert pages.next_page is not None
        answer = self.call(listing.action, pages.next_page)
        return [normalise_object(self._api, each, answer, parameters={}) for each in pages.take(answer)]

    def read_together(self) -> list[str | None]:
        """The ids of the tasks that one request reads."""
        many = self._api.read_many
        assert many is not None
        answer = self.call(many.action, {**dict.fromkeys(many.needs, "1"), many.ids_param: list(TASK_IDS)})
        return [text(at(each, self._api.id or "")) for each in at(answer, many.tasks)]

    def cancel(self, task: CloudTask, known: Mapping[str, Any]) -> None:
        cancel = self._api.cancel
        assert cancel is not None
        names = dict.fromkeys((*self._api.task_params, *cancel.found, *cancel.needs), "1")
        for request in cancel_requests(self._api, [task.id], {**names, **known}):
            assert refusals(cancel, self.call(cancel.action, request)) == []


@pytest.mark.parametrize("name", APIS)
def test_the_vendors_own_client_reads_lists_and_cancels_a_task(
    cloudtasks_emulator: Emulator, home: Path, name: str
) -> None:
    api = APIS[name]
    vendor = Vendor(api, cloudtasks_emulator, home)
    emulated, fields = owner_of(api, TASK_ID)
    cloudtasks_emulator.add_running(emulated, TASK_ID, fields=fields)
    task = vendor.read(TASK_ID, {})
    assert (task.id, task.done) == (TASK_ID, False)
    assert task.state is not TaskState.UNKNOWN
    if api.list_tasks is not None:
        assert TASK_ID in [listed.id for listed in vendor.listed({})]
    if api.read_many is not None:
        assert TASK_ID in vendor.read_together()
    if api.cancel is not None:
        vendor.cancel(task, {})
        if api.read.error_beside is not None:
            # The client takes the error of a canceled task for a refused request.
            with pytest.raises(TencentCloudSDKException, match="canceled"):
                vendor.read(TASK_ID, {})
        elif not api.cancel.removes:
            assert vendor.read(TASK_ID, {}).done
        else:
            with pytest.raises(TencentCloudSDKException, match="not exist"):
                vendor.read(TASK_ID, {})


@pytest.mark.parametrize(
    ("name", "action"), [(name, start.action.name) for name, api in APIS.items() for start in api.starts]
)
def test_the_vendors_own_client_starts_a_task(
    cloudtasks_emulator: Emulator, home: Path, name: str, action: str
) -> None:
    api = APIS[name]
    start = api.start(action)
    vendor = Vendor(api, cloudtasks_emulator, home)
    if start.ids_param is not None:
        for task_id in TASK_IDS:
            cloudtasks_emulator.add_finished(name, task_id, "succeeded")
    task_id, known = vendor.start(start)
    assert vendor.read(task_id, known).id == task_id


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.results and api.results.action])
def test_the_vendors_own_client_reads_the_rows_of_a_task(cloudtasks_emulator: Emulator, home: Path, name: str) -> None:
    api, vendor = APIS[name], Vendor(APIS[name], cloudtasks_emulator, home)
    cloudtasks_emulator.add_finished(name, TASK_ID, "succeeded")
    reading = RowReading(api, vendor.read(TASK_ID, {}), api.parameters(TASK_ID, {}), 1000)
    while reading.request is not None:
        reading.take(vendor.call(results_of(api).action, reading.request))
    assert reading.rows


EXPLAINED = [
    name for name, api in APIS.items() if api.parts and (api.parts.log or api.parts.listed) and api.cloud == "alibaba"
]


@pytest.mark.parametrize("name", [*EXPLAINED, "dlc.task", "dlc.spark_batch_sql", "dlc.notebook_statement"])
def test_the_vendors_own_client_reads_why_a_task_failed(cloudtasks_emulator: Emulator, home: Path, name: str) -> None:
    api, vendor = APIS[name], Vendor(APIS[name], cloudtasks_emulator, home)
    emulated, fields = owner_of(api, TASK_ID)
    cloudtasks_emulator.add_finished(emulated, TASK_ID, "failed", fields=fields | PARTS.get(name, {}))
    if name == "dataworks.workflow_instance":
        cloudtasks_emulator.add_finished("dataworks.task_instance", "8", "failed")
    task = vendor.read(TASK_ID, {})
    asking = explanation(api, task, api.parameters(TASK_ID, dict.fromkeys(api.task_params, "1")))
    answer: Any = None
    asked = []
    while True:
        try:
            asked.append(asking.send(answer))
        except StopIteration as ended:
            explained = ended.value
            break
        answer = vendor.call(*asked[-1])
    [part] = explained.detail[FAILED_PARTS]
    assert part["log"] == (None if api.parts is None or api.parts.log is None else ["This is a log"])
    assert asked


# What a failed task needs for a failed part, if the emulator's own example has none.
PARTS: dict[str, dict[str, Any]] = {
    "adb.spark_batch_sql": {"Statements": [{"StatementId": "st", "State": "FAILED", "AppId": "s1"}]},
    "dataworks.workflow_instance": {"ProjectId": 1, "BizDate": 1767456000000},
}


def style(api: TaskApi) -> tuple[Any, ...]:
    """How the requests of an API travel."""
    defined = defined_actions(api.service)[api.read.name]
    places = sorted({each.get("in", "body") for each in defined["parameters"].values()})
    return api.cloud, defined.get("style"), defined.get("method"), *places


CODES = {
    ("a wrong secret", "alibaba"): {"SignatureDoesNotMatch"},
    ("a wrong secret", "tencent"): {"AuthFailure.SignatureFailure"},
    ("throttle", "alibaba"): {"Throttling.User"},
    ("throttle", "tencent"): {"RequestLimitExceeded"},
    ("http_500", "alibaba"): {"InternalError"},
    ("http_500", "tencent"): {"InternalError", "ServerNetworkError"},
}
STYLES = {style(api): name for name, api in APIS.items()}


@pytest.mark.parametrize("mode", ["a wrong secret", "no such task", "throttle", "http_500"])
@pytest.mark.parametrize("name", sorted(STYLES.values()))
def test_the_vendors_own_client_tells_the_errors_of_each_style(
    cloudtasks_emulator: Emulator, home: Path, name: str, mode: str
) -> None:
    api = APIS[name]
    emulated, fields = owner_of(api, TASK_ID)
    if mode != "no such task":
        cloudtasks_emulator.add_running(emulated, TASK_ID, fields=fields)
    if mode in ("throttle", "http_500"):
        cloudtasks_emulator.fault(mode, count=1)
    vendor = Vendor(api, cloudtasks_emulator, home, "wrong" if mode == "a wrong secret" else "emulator-secret")
    with pytest.raises(Exception, match=r"\w") as raised:
        vendor.read(TASK_ID, {})
    [sent] = cloudtasks_emulator.requests()
    if isinstance(raised.value, NotFound):  # the answer is a success that holds no task
        assert (mode, sent["outcome"]) == ("no such task", "ok")
    else:
        code = raised.value.get_code() if api.cloud == "tencent" else raised.value.code
        assert code in CODES[mode, api.cloud] if (mode, api.cloud) in CODES else code == sent["outcome"]


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.cloud == "alibaba"])
def test_sends_the_requests_of_alibabas_own_client(name: str) -> None:
    api = APIS[name]
    for request in requests(api):
        ours = on_our_wire(api, request.action, request.content)
        theirs = on_the_vendors_wire(api, request.action, native(api, request.action, request.content))
        assert ours == theirs, request.action.name


@pytest.mark.parametrize("name", sorted({api.service.name for api in APIS.values() if api.cloud == "alibaba"}))
def test_the_rule_of_hosts_is_that_of_alibabas_own_client(name: str) -> None:
    service = next(api.service for api in APIS.values() if (api.cloud, api.service.name) == ("alibaba", name))
    client, hosts = imported(name, service.version, "client").Client, defined_hosts(service)
    assert hosts is not None
    for region in (*hosts["regions"], "cn-hangzhou", "cn-shanghai-finance-1", "cn-made-up-tomorrow"):
        for network in ("public", "vpc"):
            config = Config(access_key_id="i", access_key_secret="s", region_id=region, network=network)
            # One package has a tab behind a host.
            assert hosts_of_alibaba(hosts, region, network) == client(config)._endpoint.strip(), (region, network)
