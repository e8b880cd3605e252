"""A task that only a list shows is found on any page of it; only a list that was read wholly lacks a task."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.doctor.recording import recording
from airflow_cloudtasks.errors import CloudApiError, MalformedAnswer, NotFound, TransientError
from airflow_cloudtasks.hooks.tencent import TencentCloudHook
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.protocol.reading import MOST_PAGES, Reading
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.waiting.group import GroupRules
from airflow_cloudtasks.waiting.triggerer.wait import wait_for_tasks
from airflow_cloudtasks.waiting.verdicts import Broken, Finished, WaitRules

from .simulated_cloud import NO_OVERRIDES, SimulatedCloud
from .simulated_time import run_simulated

EXPORT = APIS["cls.export"]
WANTED = "mine"


def listing(**pages: Any) -> TaskApi:
    assert EXPORT.list_tasks is not None
    none = dict.fromkeys(("offset_param", "page_param", "total", "page_count", "next_page"))
    return dataclasses.replace(EXPORT, list_tasks=dataclasses.replace(EXPORT.list_tasks, **{**none, **pages}))


BY_OFFSET = EXPORT
BY_NUMBER = listing(page_param="Number", page_count="Pages")
BY_NUMBER_AND_TOTAL = listing(page_param="Number", total="TotalCount")
BY_TOKEN = listing(page_param="Token", next_page="Next")
STYLES = {"offset": BY_OFFSET, "number": BY_NUMBER, "number and total": BY_NUMBER_AND_TOTAL, "token": BY_TOKEN}
EVERY_STYLE = pytest.mark.parametrize("api", STYLES.values(), ids=STYLES)


def sized(api: TaskApi, size: int) -> TaskApi:
    assert api.list_tasks is not None
    return dataclasses.replace(api, list_tasks=dataclasses.replace(api.list_tasks, page_size=size))


def row(task: str, status: str = "Completed") -> dict[str, Any]:
    return {"ExportId": task, "Status": status}


def page(tasks: list[str], request: Any) -> dict[str, Any]:
    """Return a page of a list of any style."""
    size = request["Limit"]
    skipped = request.get("Offset", (request.get("Number", 1) - 1) * size or int(request.get("Token", 0)))
    reached = skipped + size
    return {
        "Exports": [row(task) for task in tasks[skipped:reached]],
        "TotalCount": len(tasks),
        "Pages": -(-len(tasks) // size),
        "Next": str(reached) if reached < len(tasks) else "",
        "RequestId": "r",
    }


def read(api: TaskApi, answer: Callable[[Any], Any], task: str = WANTED) -> Reading:
    reading = Reading(api, api.parameters(task, {"TopicId": "t"}))
    while reading.request is not None:
        reading.take(answer(reading.request))
    return reading


@EVERY_STYLE
@given(before=st.integers(0, 30), after=st.integers(0, 30), size=st.integers(1, 10))
def test_finds_a_task_on_any_page_and_reads_no_further(api: TaskApi, before: int, after: int, size: int) -> None:
    tasks = [*map(str, range(before)), WANTED, *map(str, range(100, 100 + after))]
    requests: list[Any] = []

    def answer(request: Any) -> Any:
        requests.append(request)
        return page(tasks, request)

    found = read(sized(api, size), answer)
    assert len(requests) == before // size + 1
    assert all(request["TopicId"] == "t" and EXPORT.id_param not in request for request in requests)
    task = normalise(api, found.answer, parameters={"ExportId": WANTED})
    assert (task.id, task.state, task.detail["ExportId"]) == (WANTED, TaskState.SUCCEEDED, WANTED)


@EVERY_STYLE
@given(others=st.integers(0, 40), size=st.integers(1, 10))
def test_only_the_whole_list_lacks_a_task(api: TaskApi, others: int, size: int) -> None:
    seen: set[str] = set()
    tasks = [*map(str, range(others))]

    def answer(request: Any) -> Any:
        answered = page(tasks, request)
        seen.update(each["ExportId"] for each in answered["Exports"])
        return answered

    with pytest.raises(NotFound, match="NotInList: the list does not have ExportId mine"):
        read(sized(api, size), answer)
    assert seen == set(tasks)


@EVERY_STYLE
@given(others=st.integers(0, 40), size=st.integers(1, 10), fails=st.integers(0, 40), data=st.data())
def test_a_page_that_cannot_be_read_says_nothing_about_the_task(
    api: TaskApi, others: int, size: int, fails: int, data: st.DataObject
) -> None:
    pages = max(-(-others // size), 1)
    assume(fails < pages)
    broken = data.draw(st.sampled_from([TransientError("HTTP 500"), {}, {"Exports": None}, {"Exports": "x"}]))
    asked = 0

    def answer(request: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked <= fails:
            return page([*map(str, range(others))], request)
        if isinstance(broken, Exception):
            raise broken
        return broken

    with pytest.raises((TransientError, MalformedAnswer)):
        read(sized(api, size), answer)
    assert asked == fails + 1


changes = st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=6)


@pytest.mark.parametrize("api", [BY_OFFSET, BY_NUMBER_AND_TOTAL], ids=["offset", "number and total"])
@given(others=st.integers(0, 40), place=st.integers(0, 40), size=st.integers(1, 10), removed=changes)
def test_a_task_that_moves_to_a_page_that_was_read_is_not_reported_missing(
    api: TaskApi, others: int, place: int, size: int, removed: list[tuple[bool, int]]
) -> None:
    tasks = [*map(str, range(others))]
    tasks.insert(place % (others + 1), WANTED)
    changing = list(removed)

    def answer(request: Any) -> Any:
        answered = page(tasks, request)
        for is_removed, number in [changing.pop()] if changing else []:
            theirs = [task for task in tasks if task != WANTED]
            if is_removed and theirs:
                tasks.remove(theirs[number % len(theirs)])
        return answered

    with suppress(TransientError):
        found = read(sized(api, size), answer)
        assert any(each["ExportId"] == WANTED for each in found.answer["Exports"])


def test_new_tasks_before_it_do_not_hide_a_task() -> None:
    tasks = [*map(str, range(250)), WANTED]

    def answer(request: Any) -> Any:
        tasks.insert(0, f"new-{len(tasks)}")
        return page(tasks, request)

    assert any(each["ExportId"] == WANTED for each in read(EXPORT, answer).answer["Exports"])


def test_a_list_that_repeats_its_token_says_nothing_about_the_task() -> None:
    with pytest.raises(TransientError, match="ListEndedEarly"):
        read(BY_TOKEN, lambda request: {"Exports": [row("theirs")], "Next": "same"})


def test_an_empty_page_before_the_end_says_nothing_about_the_task() -> None:
    with pytest.raises(TransientError, match="ListEndedEarly"):
        read(EXPORT, lambda request: {"Exports": [], "TotalCount": 5})


def test_a_list_that_is_too_long_is_given_up_and_says_nothing_about_the_task() -> None:
    asked: list[Any] = []

    def answer(request: Any) -> Any:
        asked.append(request)
        return page([*map(str, range(1_000_000))], request)

    with pytest.raises(CloudApiError, match="ListTooLong: the first 100 pages of the list do not show") as caught:
        read(EXPORT, answer)
    assert len(asked) == MOST_PAGES
    assert type(caught.value) is CloudApiError


@pytest.mark.parametrize("shown", ["Mine", "mine2", None, "", {"ExportId": "mine"}])
def test_another_id_is_another_task(shown: Any) -> None:
    with pytest.raises(NotFound):
        read(EXPORT, lambda request: {"Exports": [{"ExportId": shown}, None, "mine"], "TotalCount": 3})


def test_an_id_that_the_vendor_writes_as_a_number_is_found() -> None:
    found = read(EXPORT, lambda request: {"Exports": [{"ExportId": 7, "Status": "Failed"}], "TotalCount": 1}, task="7")
    assert normalise(EXPORT, found.answer, parameters={"ExportId": "7"}).state is TaskState.FAILED


def test_a_task_that_is_read_by_its_id_takes_one_request() -> None:
    api = APIS["cls.rebuild_index"]
    parameters = api.parameters("7", {"TopicId": "t"})
    reading = Reading(api, parameters)
    assert reading.request == parameters
    reading.take({"anything": 1})
    assert (reading.request, reading.answer) == (None, {"anything": 1})


def test_a_spec_that_finds_in_its_list_survives_json() -> None:
    assert TaskApi.from_dict(json.loads(json.dumps(EXPORT.as_dict()))) == EXPORT


# --- who reads --------------------------------------------------------------------------------------------------------


class Topics:
    """Answers requests for the pages of a list, as a hook, a client and a simulated cloud do."""

    def __init__(self, tasks: list[str]) -> None:
        self.tasks = tasks
        self.requests: list[dict[str, Any]] = []
        self.region = None

    def call(self, service: Any, action: Any, parameters: Any, **_: Any) -> Any:
        assert action.name == "DescribeExports"
        self.requests.append(dict(parameters))
        return page(self.tasks, parameters)

    async def acall(self, service: Any, action: Any, parameters: Any) -> Any:
        return self.call(service, action, parameters)


@pytest.fixture
def topics() -> Topics:
    return Topics([*map(str, range(250)), WANTED])


def test_the_hook_finds_a_task_and_announces_each_request(topics: Topics, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = TencentCloudHook("a", "ap-guangzhou")
    monkeypatch.setattr(hook, "call", topics.call)
    announced: list[int] = []
    task = hook.read_task(
        EXPORT, WANTED, {"TopicId": "t"}, NO_OVERRIDES, lambda: announced.append(len(topics.requests))
    )
    assert (task.id, task.state) == (WANTED, TaskState.SUCCEEDED)
    assert announced == [0, 1, 2]
    with pytest.raises(NotFound):
        hook.read_task(EXPORT, "gone", {"TopicId": "t"})


def test_the_hook_finds_a_task_without_blocking(topics: Topics, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = TencentCloudHook("a", "ap-guangzhou")
    monkeypatch.setattr(hook, "acall", topics.acall)
    task = run_simulated(hook.aread_task(EXPORT, WANTED, {"TopicId": "t"}))
    assert (task.id, len(topics.requests)) == (WANTED, 3)


@pytest.mark.parametrize(("task", "pages"), [(WANTED, 3), ("gone", 3), ("7", 1)])
def test_a_bug_report_has_the_pages_that_were_read(topics: Topics, task: str, pages: int) -> None:
    client: Any = topics
    recorded = recording(client, EXPORT, task, {"TopicId": "t"})
    assert [call["use"] for call in recorded["calls"]] == ["read"] * pages
    assert len(topics.requests) == pages


def test_a_bug_report_of_a_list_without_end_ends(topics: Topics) -> None:
    topics.tasks = [*map(str, range(1_000_000))]
    client: Any = topics
    assert len(recording(client, EXPORT, WANTED, {"TopicId": "t"})["calls"]) == MOST_PAGES


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, topics: Topics) -> SimulatedCloud:
    cloud = SimulatedCloud(monkeypatch)

    async def answer(action: str, parameters: dict[str, Any], conn_id: str) -> dict[str, Any]:
        topics.requests.append(parameters)
        return page(topics.tasks, parameters)

    monkeypatch.setattr(cloud, "answer", answer)
    return cloud


async def wait(*ids: str) -> Any:
    return await wait_for_tasks(
        EXPORT,
        ids,
        {"TopicId": "t"},
        conn_id="a",
        region=None,
        rules=WaitRules(poke_interval=10.0),
        overrides=NO_OVERRIDES,
        group=GroupRules(),
        deadline=None,
        log=lambda _: None,
    )


def test_the_triggerer_finds_a_task_on_a_later_page(cloud: SimulatedCloud, topics: Topics) -> None:
    [end] = run_simulated(wait(WANTED))
    assert isinstance(end, Finished)
    assert (end.task.id, end.task.ok, len(topics.requests)) == (WANTED, True, 3)


def test_the_triggerer_reports_a_task_that_the_list_lacks(cloud: SimulatedCloud, topics: Topics) -> None:
    [end] = run_simulated(wait("gone"))
    assert isinstance(end, Broken)
    assert isinstance(end.error, NotFound)
    assert len(topics.requests) == 3


def test_the_triggerer_reads_a_list_once_for_all_its_tasks(cloud: SimulatedCloud, topics: Topics) -> None:
    ids = [*map(str, range(240)), WANTED]
    ends = run_simulated(wait(*ids))
    assert [end.task.id for end in ends] == ids
    # The first waits are alone when they begin. Read one by one, all would take over 400 requests.
    assert len(topics.requests) < 40
