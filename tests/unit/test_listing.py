"""When reading many tasks by a list saves requests, and how many of its pages are read."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import MalformedAnswer
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.spec import Action, TaskList
from airflow_cloudtasks.waiting.triggerer.batch import BatchCost
from airflow_cloudtasks.waiting.triggerer.choice import choose
from airflow_cloudtasks.waiting.triggerer.sweep import ListCost, Speeds, Sweep, most_seconds, since

BDRC, ICE = APIS["bdrc.task"], APIS["ice.workflow_task"]

NUMBERED = dataclasses.replace(
    BDRC,
    list_tasks=TaskList(
        action=Action(name="ListToys", template={"SortType": "DESC"}),
        tasks="Items",
        page_size_param="PageSize",
        page_size=2,
        page_param="PageNumber",
        page_count="Pages",
    ),
)


def numbered_page(*ids: str, pages: Any) -> dict[str, Any]:
    return {"Items": [{"TaskId": task_id} for task_id in ids], "Pages": pages}


def page(*ids: str, token: str = "") -> dict[str, Any]:
    return {"Data": {"Content": [{"TaskId": task_id, "TaskStatus": "RUNNING"} for task_id in ids], "NextToken": token}}


SPEEDS = Speeds(list_delay=0.0, list_interval=0.05, read_interval=0.05)


def is_worth_it(cost: ListCost, tasks: int, now: float, interval: float = 60.0, speeds: Speeds = SPEEDS) -> bool:
    return choose(tasks, interval, speeds, cost, BatchCost(0), now) == "list"


@pytest.mark.parametrize(("tasks", "worth_it"), [(0, False), (1, False), (2, True), (500, True), (10_000, True)])
def test_tries_an_unknown_list_where_it_could_save_requests(tasks: int, worth_it: bool) -> None:
    assert is_worth_it(ListCost(500), tasks, 0.0) is worth_it


def test_a_list_without_pages_costs_one_request() -> None:
    assert not is_worth_it(ListCost(0), 1, 0.0)
    assert is_worth_it(ListCost(0), 2, 0.0)


def test_skips_a_costly_list_until_there_are_more_tasks() -> None:
    cost = ListCost(500)
    cost.learn(20, 0.1, now=0.0)
    assert [tasks for tasks in (10, 20, 21, 1000) if is_worth_it(cost, tasks, 1.0)] == [21, 1000]


def test_skips_a_list_that_takes_longer_than_the_interval_and_than_single_reads() -> None:
    """800 tasks, a list of 200 pages, 3 seconds a page: 600 seconds; by their ids they are read in 40."""
    cost = ListCost(100)
    cost.learn(200, 3.0, now=0.0)
    assert not is_worth_it(cost, 800, 1.0, interval=60.0)
    assert is_worth_it(cost, 800, 1.0, interval=601.0)
    assert is_worth_it(cost, 800, 1.0, speeds=Speeds(0.0, 0.05, 1.0)), "where reads are slow, the list is faster"


def test_skips_a_list_whose_requests_must_wait() -> None:
    cost = ListCost(500)
    cost.learn(1, 0.1, now=0.0)
    assert is_worth_it(cost, 100, 1.0, interval=10.0, speeds=Speeds(9.0, 0.05, 0.05))
    assert not is_worth_it(cost, 100, 1.0, interval=10.0, speeds=Speeds(11.0, 0.05, 0.05))


def test_a_list_may_take_an_interval_or_the_time_of_single_reads() -> None:
    assert most_seconds(100, 60.0, SPEEDS) == 60.0
    assert most_seconds(4000, 60.0, SPEEDS) == 200.0


def test_learned_list_costs_expire() -> None:
    cost = ListCost(500)
    cost.learn(100, 0.1, now=0.0)
    assert not is_worth_it(cost, 100, 599.0)
    assert is_worth_it(cost, 100, 601.0)
    cost.learn_refused(601.0)
    assert not is_worth_it(cost, 1_000_000, 1200.0)
    assert is_worth_it(cost, 2, 1202.0)


def test_backs_off_from_a_failing_list() -> None:
    cost, now, rests = ListCost(500), 0.0, []
    for _ in range(6):
        cost.learn_failed(now)
        rests.append(next(rest for rest in range(100) if is_worth_it(cost, 100, now + rest)))
        now += rests[-1]
    assert rests == [5, 10, 20, 40, 60, 60]
    cost.learn(1, 0.1, now=now)
    cost.learn_failed(now)
    assert is_worth_it(cost, 100, now + 5)


def test_a_list_that_was_given_up_costs_more_than_its_tasks() -> None:
    sweep = Sweep(BDRC, {}, [f"mine-{number}" for number in range(40)])
    sweep.take(page("theirs", token="t1"))
    assert sweep.cost == 80
    sweep.take(page("theirs"))
    assert sweep.cost == 2


def test_stops_at_a_list_that_repeats_its_page_token() -> None:
    sweep = Sweep(BDRC, {}, [f"mine-{number}" for number in range(1000)])
    pages = 0
    while sweep.next_page is not None and pages < 100:
        list(sweep.take(page("theirs", token="the same")))
        pages += 1
    assert pages == 2


def test_reads_a_list_until_all_tasks_are_found() -> None:
    sweep = Sweep(BDRC, {}, [str(number) for number in range(12)])
    assert sweep.next_page == {"MaxResults": 500}
    first = dict(sweep.take(page(*map(str, range(10)), "a stranger's", token="t1")))
    assert set(first) == {*map(str, range(10)), "a stranger's"}
    assert sweep.next_page == {"MaxResults": 500, "NextToken": "t1"}
    list(sweep.take(page("10", "11", token="t2")))
    assert sweep.next_page is None
    assert (sweep.missing, sweep.pages, sweep.is_complete) == (set(), 2, False)


def test_a_complete_list_names_the_missing_tasks() -> None:
    sweep = Sweep(BDRC, {}, ["1", "2", "gone"])
    list(sweep.take(page("1", "2")))
    assert (sweep.missing, sweep.next_page, sweep.is_complete) == ({"gone"}, None, True)


def test_stops_at_a_list_full_of_other_tasks() -> None:
    sweep = Sweep(BDRC, {}, [f"mine-{number}" for number in range(12)])
    pages = 0
    while sweep.next_page is not None:
        list(sweep.take(page("theirs", token=f"t{pages}")))
        pages += 1
    assert pages == 3
    assert (len(sweep.missing), sweep.is_complete) == (12, False)


def test_lists_tasks_since_shortly_before_the_oldest() -> None:
    old = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
    assert since(old) == "2026-01-02T11:55:00Z"
    assert since(None) is None
    assert Sweep(ICE, {}, ["1"], since(old)).next_page == {
        "MaxResults": 100,
        "StartOfCreateTime": "2026-01-02T11:55:00Z",
    }
    assert Sweep(BDRC, {}, ["1"], since(old)).next_page == {"MaxResults": 500}


def test_requests_numbered_pages_by_number() -> None:
    sweep = Sweep(NUMBERED, {"Account": "1"}, [str(number) for number in range(8)])
    asked = {"Account": "1", "PageSize": 2}
    assert sweep.next_page == asked
    list(sweep.take(numbered_page("0", "1", pages=9)))
    assert sweep.next_page == asked | {"PageNumber": 2}
    # Two pages found three of eight tasks: reading on would cost more than single reads.
    list(sweep.take(numbered_page("theirs", "2", pages=9)))
    assert (sweep.next_page, sweep.is_complete, len(sweep.missing)) == (None, False, 5)


@pytest.mark.parametrize("pages", [1, 0, None, "1"])
def test_the_last_numbered_page_ends_the_list(pages: Any) -> None:
    sweep = Sweep(NUMBERED, {}, [str(number) for number in range(8)])
    list(sweep.take(numbered_page("0", "1", pages=pages)))
    assert (sweep.next_page, sweep.is_complete) == (None, True)


def test_requests_no_further_page_when_all_tasks_are_found() -> None:
    sweep = Sweep(NUMBERED, {}, ["0", "1"])
    list(sweep.take(numbered_page("0", "1", pages=9)))
    assert (sweep.next_page, sweep.is_complete) == (None, False)


@pytest.mark.parametrize("answer", [{}, None, [], {"Data": {"Content": "none"}}, {"Data": {"Content": {"a": 1}}}])
def test_an_answer_that_is_no_list_names_the_api_and_the_field(answer: Any) -> None:
    with pytest.raises(MalformedAnswer, match=r"bdrc\.task: Data\.Content"):
        Sweep(BDRC, {}, ["1"]).take(answer)


def test_skips_list_items_that_are_no_tasks() -> None:
    answer = {"Data": {"Content": [None, 7, "x", {}, {"TaskId": None}, {"TaskId": 5}], "NextToken": None}}
    assert dict(Sweep(BDRC, {}, ["5"]).take(answer)) == {"5": {"TaskId": 5}}


def by_total(**paging: Any) -> TaskList:
    return TaskList(
        action=Action(name="ListToys"), tasks="Toys", page_size_param="Limit", page_size=2, total="Total", **paging
    )


def read_all(listing: TaskList, pages: list[dict[str, Any]]) -> list[Any]:
    """Read pages to the end of the list; return what was asked for on each."""
    reading, asked, answers = Pages(listing, {}, "toys.toy"), [], iter(pages)
    while reading.next_page is not None:
        asked.append(reading.next_page.get(listing.offset_param or listing.page_param))
        reading.take(next(answers))
    return asked


def of_total(tasks: int, total: Any) -> dict[str, Any]:
    return {"Toys": [{}] * tasks, "Total": total}


@pytest.mark.parametrize(
    ("pages", "offsets"),
    [
        ([of_total(2, 5), of_total(2, 5), of_total(1, 5)], [None, 2, 4]),
        ([of_total(2, 4), of_total(2, 4)], [None, 2]),
        ([of_total(1, 3), of_total(2, 3)], [None, 1]),  # a page may be shorter than asked for
        ([of_total(2, 3), of_total(2, 5), of_total(1, 5)], [None, 2, 4]),  # tasks are added meanwhile
        ([of_total(2, 5), of_total(1, 2)], [None, 2]),  # tasks are removed meanwhile
        ([of_total(2, 9), of_total(0, 9)], [None, 2]),  # a total that is too high
        ([of_total(2, None), of_total(2, None), of_total(1, None)], [None, 2, 4]),
        ([of_total(2, "4"), of_total(2, "4")], [None, 2]),
        ([of_total(0, 0)], [None]),
    ],
)
def test_reads_a_list_by_offset_to_its_total(pages: list[dict[str, Any]], offsets: list[int]) -> None:
    assert read_all(by_total(offset_param="Offset"), pages) == offsets


def test_reads_a_list_by_page_numbers_to_its_total() -> None:
    numbered = by_total(page_param="Page")
    assert read_all(numbered, [of_total(2, 5), of_total(2, 5), of_total(1, 5)]) == [None, 2, 3]
    assert read_all(numbered, [of_total(2, 4), of_total(2, 4)]) == [None, 2]


@pytest.mark.parametrize(
    ("paging", "problem"),
    [
        ({"offset_param": "Offset", "page_param": "Page"}, "either page_param or offset_param"),
        ({}, "page_param or offset_param, page_size_param"),
        ({"offset_param": "Offset", "next_page": "Token"}, "one of next_page, page_count and total"),
    ],
)
def test_refuses_a_list_by_total_whose_fields_do_not_fit(paging: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        by_total(**paging)
