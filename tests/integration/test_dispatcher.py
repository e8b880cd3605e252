"""Many triggers in one event loop, as in a triggerer, over one dispatcher and the emulator."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest
from airflow.providers.common.compat import connection as compat

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import PermissionDenied, Throttled
from airflow_cloudtasks.hooks.base import CloudTasksHook
from airflow_cloudtasks.metrics.send import TRIGGERER
from airflow_cloudtasks.triggers import cloud_task
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger
from airflow_cloudtasks.waiting.triggerer import dispatcher, list_reader

LKE = {"TaskType": "ExportAttributeLabel", "BotBizId": "1"}


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


def lke(task_id: Any, **arguments: Any) -> CloudTaskTrigger:
    return trigger(task_id, api="lke.task", api_params=LKE, **arguments)


def trigger(task_id: Any, **arguments: Any) -> CloudTaskTrigger:
    return CloudTaskTrigger(
        **{
            "api": "bdrc.task",
            "cloud_task_id": task_id,
            "poke_interval": 0.2,
            "deadline": time.time() + 60,
            **arguments,
        }
    )


async def fired(waiting: CloudTaskTrigger) -> Any:
    async for event in waiting.run():
        return event.payload
    raise AssertionError("the trigger fired no event")


def wait(*triggers: CloudTaskTrigger) -> list[Any]:
    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*map(fired, triggers))

    return asyncio.run(all_of_them())


async def until(true: Callable[[], Any], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what it waits for sets no event
            await asyncio.sleep(0.02)


def counted(cloud: Emulator, api: str) -> int:
    return cloud.totals().get(api, {}).get("total", 0)


# --- one request for many -------------------------------------------------------------------------------------------


def test_two_waits_on_one_task_send_one_request_per_poll(cloud: Emulator) -> None:
    cloud.add_running("lke.task", "1", 1.5)
    seen = wait(*(lke("1", poke_interval=0.5) for _ in range(20)))
    assert {payload["task"]["state"] for payload in seen} == {"succeeded"}
    assert counted(cloud, "lke.task") <= 6


def test_waits_on_one_task_may_read_its_status_differently(cloud: Emulator) -> None:
    cloud.add_task("lke.task", "1", script=[("RUNNING", 1), ("SUCCESS", None)])
    early, late = wait(lke("1", success_statuses=["RUNNING"]), lke("1"))
    assert (early["task"]["status"], late["task"]["status"]) == ("RUNNING", "SUCCESS")


def test_waits_with_other_parameters_or_regions_share_no_request(cloud: Emulator) -> None:
    for bot in ("1", "2"):
        params = {"TaskType": "ExportAttributeLabel", "BotBizId": bot}
        cloud.add_finished("lke.task", "8", "succeeded" if bot == "1" else "failed", fields=params)
    one, two, far = wait(
        lke("8"),
        trigger("8", api="lke.task", api_params=LKE | {"BotBizId": "2"}),
        lke("8", region="ap-jakarta"),
    )
    assert [payload["task"]["state"] for payload in (one, two, far)] == ["succeeded", "failed", "succeeded"]
    assert counted(cloud, "lke.task") == 3


# --- the budget -----------------------------------------------------------------------------------------------------


def test_sixty_waits_share_the_budget_and_none_fails(cloud: Emulator) -> None:
    cloud.limit(20)
    for number in range(60):
        cloud.add_running("lke.task", str(number), 2 + number / 30)
    seen = wait(*(lke(str(number)) for number in range(60)))
    assert [payload["task"]["state"] for payload in seen] == ["succeeded"] * 60
    totals = cloud.totals()["lke.task"]
    assert totals["refused"] <= 0.05 * totals["total"]


def test_budget_above_the_vendor_limit_fails_no_wait(cloud: Emulator) -> None:
    cloud.limit(5)
    for number in range(20):
        cloud.add_finished("lke.task", str(number))
    seen = wait(*(lke(str(number)) for number in range(20)))
    assert [payload["task"]["state"] for payload in seen] == ["succeeded"] * 20
    assert cloud.totals()["lke.task"]["refused"] > 0, "or this test would show nothing"


def test_connection_may_set_the_budget(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    written = json.loads(cloud.connections()["AIRFLOW_CONN_TENCENT_DEFAULT"])
    written["extra"]["requests_per_second"] = {"lke.task": 5}
    monkeypatch.setenv("AIRFLOW_CONN_TENCENT_DEFAULT", json.dumps(written))
    for number in range(12):
        cloud.add_finished("lke.task", str(number))
    wait(*(lke(str(number)) for number in range(12)))
    times = sorted(request["time"] for request in cloud.requests())
    # Twelve at 5 a second, less the headroom; two may leave together.
    assert times[-1] - times[0] > 10 / 5


# --- lists ----------------------------------------------------------------------------------------------------------


def test_reads_many_waits_with_one_list_request(cloud: Emulator) -> None:
    for number in range(300):
        cloud.add_running("bdrc.task", str(number), 1 + number / 100)
    seen = wait(*(trigger(str(number), poke_interval=0.5) for number in range(300)))
    assert [payload["task"]["id"] for payload in seen] == [str(number) for number in range(300)]
    assert {payload["task"]["state"] for payload in seen} == {"succeeded"}
    # On a busy machine, a few requests read all of them.
    assert counted(cloud, "bdrc.task_list") > 0
    assert counted(cloud, "bdrc.task") + counted(cloud, "bdrc.task_list") < 150


def test_list_returns_the_same_task_as_a_single_read(cloud: Emulator) -> None:
    fields = {"TaskDetail": '{"resourceTypes": ["ACS::OSS::Bucket"]}', "ErrorMessage": "no quota"}
    for number in range(8):
        cloud.add_finished("bdrc.task", str(number), "failed", fields=fields)
    single = wait(trigger("0"))[0]["task"]
    assert counted(cloud, "bdrc.task_list") == 0
    listed = wait(*(trigger(str(number), poke_interval=3) for number in range(8)))
    assert counted(cloud, "bdrc.task_list") > 0
    assert listed[0]["task"] | {"request_id": None} == single | {"request_id": None}


def test_reads_a_finished_task_singly_if_the_list_has_less_detail(cloud: Emulator) -> None:
    fields = {"ActivityResults": '[{"Name": "transcode"}]'}
    for number in range(40):
        script = [("Processing", 1.5), ("Succeed", None)]
        cloud.add_task("ice.workflow_task", str(number), script=script, fields=fields)
    seen = wait(*(trigger(str(number), api="ice.workflow_task", poke_interval=0.5) for number in range(40)))
    assert {payload["task"]["detail"]["ActivityResults"][0]["Name"] for payload in seen} == {"transcode"}
    assert counted(cloud, "ice.workflow_task_list") > 0


def test_reads_a_task_singly_if_the_list_lacks_it(cloud: Emulator) -> None:
    """ICE lists ninety days of tasks, and keeps a year of them."""
    days = 100 * 24 * 3600
    cloud.add_running("ice.workflow_task", "old", days + 1)
    cloud.advance(days)
    for number in range(30):
        cloud.add_running("ice.workflow_task", str(number), 1)
    names = [*map(str, range(30)), "old"]
    seen = wait(*(trigger(name, api="ice.workflow_task", poke_interval=0.5) for name in names))
    assert {payload["task"]["state"] for payload in seen} == {"succeeded"}


def test_reads_singly_if_the_key_may_not_list(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    call = CloudTasksHook.acall_once

    async def may_not_list(self: CloudTasksHook, service: Any, action: Any, parameters: Any) -> Any:
        if action.name == "DescribeTasks":
            raise PermissionDenied("You are not authorized.", code="NoPermission", action=action.name)
        return await call(self, service, action, parameters)

    monkeypatch.setattr(CloudTasksHook, "acall_once", may_not_list)
    for number in range(20):
        cloud.add_finished("bdrc.task", str(number))
    seen = wait(*(trigger(str(number)) for number in range(20)))
    assert {payload["task"]["state"] for payload in seen} == {"succeeded"}
    assert counted(cloud, "bdrc.task") == 20


def test_list_that_fails_between_pages_fails_no_wait(cloud: Emulator) -> None:
    for number in range(60):
        cloud.add_running("bdrc.task", str(number), 1)
    cloud.fault(["throttle", "http_500", "bad_json", "reset"], rate=0.3)
    try:
        seen = wait(*(trigger(str(number)) for number in range(60)))
    finally:
        cloud.clear_faults()
    assert {payload["task"]["state"] for payload in seen} == {"succeeded"}


@pytest.mark.parametrize("how", ["throttled", "hanging"])
def test_reads_tasks_singly_if_the_list_never_answers(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    call = CloudTasksHook.acall_once

    async def bad_list(self: CloudTasksHook, service: Any, action: Any, parameters: Any) -> Any:
        if action.name == "DescribeTasks":
            if how == "hanging":
                await asyncio.sleep(60)
            raise Throttled("slow down")
        return await call(self, service, action, parameters)

    monkeypatch.setattr(CloudTasksHook, "acall_once", bad_list)
    monkeypatch.setattr(list_reader, "_PAGE_SECONDS", 1.0)
    for number in range(40):
        cloud.add_running("bdrc.task", str(number), 1)
    seen = wait(*(trigger(str(number), poke_interval=1) for number in range(40)))
    assert {payload["task"]["state"] for payload in seen} == {"succeeded"}


# --- waiting on many ------------------------------------------------------------------------------------------------


def test_wait_on_many_tasks_returns_them_in_order(cloud: Emulator) -> None:
    for number in range(30):
        cloud.add_running("lke.task", str(number), 1 - number / 60, "failed" if number == 7 else "succeeded")
    (payload,) = wait(lke([str(number) for number in range(30)]))
    assert [each["task"]["id"] for each in payload["tasks"]] == [str(number) for number in range(30)]
    assert Counter(each["task"]["state"] for each in payload["tasks"]) == {"succeeded": 29, "failed": 1}


@pytest.mark.parametrize(("rules", "ended"), [({"wait_for": "any"}, "2"), ({"fail_fast": True}, "1")])
def test_wait_on_many_ends_as_soon_as_its_outcome_is_certain(cloud: Emulator, rules: Any, ended: str) -> None:
    cloud.add_running("lke.task", "0")
    cloud.add_running("lke.task", "1", 1, "failed")
    cloud.add_running("lke.task", "2", 2)
    (payload,) = wait(lke(["0", "1", "2"], **rules))
    assert payload["tasks"][int(ended)]["task"]["done"]
    assert payload["tasks"][0]["task"]["state"] == "running"


# --- starting and stopping ------------------------------------------------------------------------------------------


def in_a_loop(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it, and see that it leaves nothing behind."""

    async def watched() -> None:
        before = asyncio.all_tasks()
        await body()
        await until(lambda: asyncio.all_tasks() == before)
        assert not dispatcher._dispatchers.get()

    asyncio.run(watched(), debug=True)


def test_dispatcher_without_waits_frees_everything(
    cloud: Emulator, recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.add_running("lke.task", "1")

    async def body() -> None:
        waits = [asyncio.create_task(fired(lke("1"))) for _ in range(10)]
        await until(lambda: counted(cloud, "lke.task") > 2)
        for each in waits[:9]:
            each.cancel()
        before = counted(cloud, "lke.task")
        await until(lambda: counted(cloud, "lke.task") > before)
        waits[9].cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        before = counted(cloud, "lke.task")
        await asyncio.sleep(0.5)
        assert counted(cloud, "lke.task") == before

    in_a_loop(body)
    gc.collect()
    assert [str(warning.message) for warning in recwarn if "nclosed" in str(warning.message)] == []
    assert "never retrieved" not in caplog.text
    assert "was destroyed" not in caplog.text


def test_cancelled_wait_leaves_a_shared_request_running(cloud: Emulator) -> None:
    cloud.add_finished("lke.task", "1")
    cloud.latency(0.5)

    async def body() -> None:
        gone, stays = (asyncio.create_task(fired(lke("1"))) for _ in range(2))
        await until(lambda: counted(cloud, "lke.task") == 1)
        gone.cancel()
        assert (await stays)["task"]["state"] == "succeeded"
        await asyncio.gather(gone, return_exceptions=True)
        assert counted(cloud, "lke.task") == 1

    in_a_loop(body)


def test_triggerer_that_stops_during_a_request_leaves_no_tasks_behind(
    cloud: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.add_running("lke.task", "1")
    cloud.latency(0.5)

    async def stops() -> None:
        tasks = [asyncio.create_task(fired(lke("1"))) for _ in range(5)]
        await until(lambda: counted(cloud, "lke.task") > 0)
        assert not any(task.done() for task in tasks)

    asyncio.run(stops())
    gc.collect()
    assert "never retrieved" not in caplog.text
    assert "was destroyed" not in caplog.text


def test_defect_fails_every_wait_instead_of_hanging(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(dispatcher, "normalise", defect)
    cloud.add_finished("lke.task", "1")

    async def body() -> None:
        waits = [asyncio.create_task(fired(lke("1"))) for _ in range(3)]
        ends = await asyncio.gather(*waits, return_exceptions=True)
        assert [type(end) for end in ends] == [ZeroDivisionError] * 3

    in_a_loop(body)


def test_request_that_cannot_be_made_fails_only_its_own_wait(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    call = CloudTasksHook.acall_once

    async def makes_most(self: CloudTasksHook, service: Any, action: Any, parameters: Any) -> Any:
        if parameters.get("TaskId") == "odd":
            raise UnicodeError
        return await call(self, service, action, parameters)

    monkeypatch.setattr(CloudTasksHook, "acall_once", makes_most)
    cloud.add_running("bdrc.task", "fine", 1)

    async def body() -> None:
        ends = await asyncio.gather(fired(trigger("odd")), fired(trigger("fine")), return_exceptions=True)
        assert isinstance(ends[0], UnicodeError)
        assert ends[1]["task"]["state"] == "succeeded"

    in_a_loop(body)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"task_id": []}, "an empty list"),
        ({"task_id": ["1", None]}, "None is no id"),
        ({"task_id": "1", "success_statuses": "RUNNING"}, "expected a list of statuses"),
        ({"task_id": "1", "api_params": {}}, "lke.task needs TaskType in api_params"),
    ],
)
def test_rendered_arguments_that_name_no_task_fail_the_wait_at_once(
    cloud: Emulator, arguments: dict[str, Any], says: str
) -> None:
    (payload,) = wait(trigger(**{"api": "lke.task", "api_params": LKE, **arguments}))
    result = payload["tasks"][0] if "tasks" in payload else payload
    assert says in result["invalid"]
    assert counted(cloud, "lke.task") == 0


def test_hanging_connection_look_up_delays_no_wait_beyond_its_deadline(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(3600)

    monkeypatch.setattr("airflow.providers.common.compat.connection.get_async_connection", hangs)
    monkeypatch.setattr("airflow_cloudtasks.waiting.triggerer.watch._LAST_POLL_WITHIN", 1.0)
    began = time.monotonic()
    assert "timeout" in wait(lke("1", deadline=time.time() + 1))[0]
    assert time.monotonic() - began < 15


def test_unreachable_airflow_costs_few_look_ups_and_fails_no_wait(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, looked_up = compat.get_async_connection, []

    async def fails_at_first(*arguments: Any, **named: Any) -> Any:
        looked_up.append(time.monotonic())
        if len(looked_up) <= 2:
            raise ConnectionError
        return await look_up(*arguments, **named)

    monkeypatch.setattr(compat, "get_async_connection", fails_at_first)
    for number in range(50):
        cloud.add_finished("lke.task", str(number))
    seen = wait(*(lke(str(number)) for number in range(50)))
    assert {payload["task"]["state"] for payload in seen} == {"succeeded"}
    assert len(looked_up) == 3


@pytest.mark.parametrize("make", [lke, trigger], ids=["read singly", "read by a list"])
def test_refused_key_is_tried_once_for_all_waits(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, make: Callable[..., CloudTaskTrigger]
) -> None:
    monkeypatch.setattr("airflow_cloudtasks.waiting.verdicts.CredentialsGrace.SECONDS", 2.0)
    for variable, written in cloud.connections().items():
        monkeypatch.setenv(variable, json.dumps(json.loads(written) | {"password": "wrong"}))
    seen = wait(*(make(str(number), poke_interval=1) for number in range(100)))
    assert {payload["error"]["kind"] for payload in seen} == {"CredentialsError"}
    assert sum(each["total"] for each in cloud.totals().values()) < 30


@pytest.mark.parametrize("make", [lke, trigger], ids=["read singly", "read by a list"])
@pytest.mark.parametrize("poke_interval", [0, 1])
@pytest.mark.usefixtures("airflow_home")
def test_unusable_connection_fails_every_wait(
    cloud: Emulator, make: Callable[..., CloudTaskTrigger], poke_interval: float
) -> None:
    seen = wait(*(make(str(n), conn_id="no_such_connection", poke_interval=poke_interval) for n in range(50)))
    assert {payload["invalid"].partition(";")[0] for payload in seen} == {
        "There is no Airflow connection 'no_such_connection'"
    }


# --- what it logs and measures ----------------------------------------------------------------------------------------


def test_logs_each_line_in_the_context_of_its_trigger(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow finds the task of a log line by a context variable."""
    whose, lines = ContextVar("whose", default="nobody's"), []
    monkeypatch.setattr(cloud_task, "_log_line", lambda line: lines.append((whose.get(), line)))
    for number in range(3):
        cloud.add_task("lke.task", str(number), script=[("RUNNING", 0.5), ("SUCCESS", None)])

    async def one(number: int) -> None:
        whose.set(f"wait {number}")
        await fired(lke(str(number)))

    async def body() -> None:
        await asyncio.gather(*map(one, range(3)))

    asyncio.run(body())
    assert sorted(lines) == [(f"wait {number}", f"lke.task {number} is running [RUNNING]") for number in range(3)]


def test_metrics_agree_with_the_log_line_of_each_minute(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorded: dict[str, list[Any]] = {}

    class Stats:
        @staticmethod
        def incr(name: str, count: int, tags: Any = None) -> None:
            Stats.gauge(name, count, tags)

        @staticmethod
        def gauge(name: str, value: float, tags: Any = None) -> None:
            recorded.setdefault(name, []).append(value)
            assert (tags["api"], tags["conn_id"]) == ("bdrc.task", "alibaba_default")
            assert tags["region"] == "cn-shanghai"

        timing = gauge

    monkeypatch.setattr(TRIGGERER, "_stats", Stats)
    monkeypatch.setattr(dispatcher, "_REPORT_SECONDS", 3.0)
    cloud.add_running("bdrc.task", "0", 1)
    cloud.add_running("bdrc.task", "1", 4)
    cloud.fault("throttle", count=1)
    cloud.fault("http_500", count=1)
    with caplog.at_level(logging.INFO, logger="airflow_cloudtasks"):
        wait(trigger("0", poke_interval=0.3), trigger("1", poke_interval=0.3))
    cloud.clear_faults()
    assert len(recorded["cloudtasks.polls.bdrc.task"]) == sum(each["total"] for each in cloud.totals().values())
    assert len(recorded["cloudtasks.throttles.bdrc.task"]) == 1
    assert len(recorded["cloudtasks.errors.bdrc.task"]) == 1
    # The last one is of the end of the dispatcher.
    first, *_, last = recorded["cloudtasks.waiting.bdrc.task"]
    assert (first, last) == (1, 0)
    assert 0 < recorded["cloudtasks.budget.bdrc.task.DescribeTask"][0] <= 20
    assert recorded["cloudtasks.allowance.bdrc.task.DescribeTask"][0] == 20
    used, *_, last = recorded["cloudtasks.used.bdrc.task.DescribeTask"]
    assert 0 < used <= 1
    assert last == 0
    assert len(recorded["cloudtasks.ended.bdrc.task.succeeded"]) == 2
    assert all(0 <= late < 10_000 for late in recorded["cloudtasks.noticed.bdrc.task"])
    line, *_ = [record.getMessage() for record in caplog.records if "throttled" in record.getMessage()]
    assert line.startswith("bdrc.task on alibaba_default: 1 waiting; in ")
    assert "1 throttled; budget a second: DescribeTask" in line
    assert "1 ends noticed after" in line
