"""Which entries of a feed are new ends, and how far it is read. No network, no clock."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import MalformedAnswer
from airflow_cloudtasks.waiting.feed import MOST_PAGES, FeedCursor, Look

RUNS = APIS["wedata.workflow_run"]
INSTANCES = APIS["wedata.task_instance"]
SCOPE = {"ProjectId": "1"}
# Unix seconds.
NOON = 1_767_225_600.0


def run(task_id: str, ended_at: float | None, state: str = "SUCCESS", **fields: Any) -> dict[str, Any]:
    """Return an entry; without a time, the run has not ended."""
    if ended_at is None:
        return {"ExecutionId": task_id, "ExecutionState": "RUNNING", "EndTime": None, **fields}
    return {"ExecutionId": task_id, "ExecutionState": state, "EndTime": str(round(ended_at * 1000)), **fields}


class Vendor:
    """A feed that serves the entries it is given in their order, or sorted."""

    def __init__(self, entries: Iterable[dict[str, Any]] = (), page_size: int = 100) -> None:
        self.entries = list(entries)
        self.page_size = page_size
        self.pages = 0

    def end(self, *entries: dict[str, Any]) -> None:
        """Add ends, and sort: newest first, those without an end last."""
        self.entries += entries
        self.entries.sort(key=lambda entry: int(entry["EndTime"] or 0), reverse=True)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        self.pages += 1
        number = request.get("PageNumber", 1)
        items = self.entries[(number - 1) * self.page_size : number * self.page_size]
        return {"Data": {"Items": items, "TotalPageNumber": -(-len(self.entries) // self.page_size)}}


def look(
    cursor: FeedCursor, vendor: Vendor, now: float = NOON, between: Callable[[], None] = lambda: None, **more: Any
) -> tuple[list[str], Look]:
    """Read a feed once; return the ids of the new ends, and the look."""
    one = cursor.look(SCOPE, now, **more)
    found: list[str] = []
    while one.next_page is not None:
        found += [end.task_id for end in one.take(vendor.answer(one.next_page))]
        between()
    return found, one


def ids(count_: int, prefix: str = "run") -> list[str]:
    return [f"{prefix}-{number}" for number in range(count_)]


# --- what is new ----------------------------------------------------------------------------------------------------


def test_an_end_is_returned_once() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run("old", NOON - 9), run("busy", None)])
    assert look(cursor, vendor)[0] == ["old"]
    assert look(cursor, vendor)[0] == []
    vendor.end(run("new", NOON))
    assert look(cursor, vendor)[0] == ["new"]
    assert look(cursor, vendor)[0] == []


def test_a_task_that_ends_again_is_returned_again() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run("a", NOON)])
    look(cursor, vendor)
    vendor.entries = [run("a", NOON + 60, "FAILED")]
    assert look(cursor, vendor)[0] == ["a"]


@pytest.mark.parametrize("state", ["RUNNING", "PENDING"])
def test_a_task_that_runs_again_and_shows_its_last_end_is_no_end(state: str) -> None:
    assert look(FeedCursor(RUNS), Vendor([run("a", NOON, state)]))[0] == []


def test_an_unknown_status_with_an_end_is_an_end() -> None:
    assert look(FeedCursor(RUNS), Vendor([run("a", NOON, "SOMETHING_NEW")]))[0] == ["a"]


@pytest.mark.parametrize("damaged", [{"EndTime": "soon"}, {"EndTime": 0}, {"ExecutionId": None}])
def test_an_entry_that_lacks_its_id_or_its_end_is_left_out(damaged: dict[str, Any]) -> None:
    vendor = Vendor([run("a", NOON) | damaged, run("b", NOON)])
    assert look(FeedCursor(RUNS), vendor)[0] == ["b"]


def test_an_entry_with_a_damaged_status_is_an_end_so_that_the_task_is_read() -> None:
    assert look(FeedCursor(RUNS), Vendor([run("a", NOON) | {"ExecutionState": {}}]))[0] == ["a"]


def test_an_answer_without_a_list_is_malformed() -> None:
    one = FeedCursor(RUNS).look(SCOPE, NOON)
    with pytest.raises(MalformedAnswer):
        one.take({"Data": {}})


def test_an_api_without_a_feed_has_no_cursor() -> None:
    with pytest.raises(ValueError, match="has no feed"):
        FeedCursor(APIS["lke.task"])


def test_the_id_of_the_newest_run_is_that_of_its_workflow() -> None:
    cursor = FeedCursor(APIS["wedata.newest_workflow_run"])
    assert look(cursor, Vendor([run("a", NOON, WorkflowId="w")]))[0] == ["w"]


# --- how far it is read ---------------------------------------------------------------------------------------------


def test_the_first_look_reads_one_page() -> None:
    vendor = Vendor([run(each, NOON - number) for number, each in enumerate(ids(350))])
    found, one = look(FeedCursor(RUNS), vendor)
    assert (found, one.pages) == (ids(100), 1)


def test_a_quiet_feed_costs_one_page() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run(each, NOON) for each in ids(350)])
    look(cursor, vendor)
    pages = [look(cursor, vendor, NOON + second)[1].pages for second in range(1, 60)]
    assert sum(pages) <= 60 + 5


def test_more_ends_than_a_page_are_all_found() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run("old", NOON - 1)])
    look(cursor, vendor)
    vendor.end(*(run(each, NOON + number / 100) for number, each in enumerate(ids(432))))
    found, one = look(cursor, vendor)
    assert (sorted(found), one.pages) == (sorted(ids(432)), 5)


def test_ends_of_one_second_are_found_wherever_they_stand_among_those_that_were_seen() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run("old", NOON - 5)])
    look(cursor, vendor)
    known = [run(each, NOON) for each in ids(150)]
    vendor.entries = [*known, run("old", NOON - 5)]
    look(cursor, vendor)
    vendor.entries = [*known, run("late", NOON), run("old", NOON - 5)]
    assert "late" in look(cursor, vendor, NOON + 1)[0]


def test_ends_that_appear_late_are_found_among_those_that_were_seen() -> None:
    """Once ends have come late, others are looked for so far behind the newest one, on further pages too."""
    cursor, vendor = FeedCursor(RUNS), Vendor()
    look(cursor, vendor)
    number, missed = count(), []
    for second in range(1, 60):
        now = NOON + second
        several = 20 if second < 5 else 90
        vendor.end(*(run(f"r{next(number)}", now - part / several) for part in range(several)))
        late = run(f"late-{second}", now - 1.9)
        vendor.end(late)
        found, _ = look(cursor, vendor, now)
        missed += [] if late["ExecutionId"] in found else [second]
    assert not missed


def test_an_end_that_the_feed_did_not_tell_makes_the_next_looks_read_on() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run(each, NOON - number / 100) for number, each in enumerate(ids(350))])
    look(cursor, vendor)
    assert look(cursor, vendor, NOON + 1)[1].pages == 1
    for _ in range(9):
        cursor.deepen()
    assert look(cursor, vendor, NOON + 1)[1].pages == 2


def test_a_look_that_was_given_up_is_repeated_wholly() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run("old", NOON - 100)])
    look(cursor, vendor)
    vendor.end(*(run(each, NOON - number / 100) for number, each in enumerate(ids(432))))
    one = cursor.look(SCOPE, NOON)
    found = [end.task_id for _ in range(2) for end in one.take(vendor.answer(one.next_page or {}))]
    again, second = look(cursor, vendor, NOON + 60)
    assert (sorted(found + again), second.pages) == (sorted(ids(432)), 5)


def test_a_look_ends_after_the_most_pages_and_says_that_it_may_have_missed_ends() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run("old", NOON - 100)])
    assert not look(cursor, vendor)[1].has_gap
    vendor.end(*(run(each, NOON) for each in ids(100 * MOST_PAGES + 1)))
    found, one = look(cursor, vendor)
    assert (len(found), one.pages, one.has_gap) == (100 * MOST_PAGES, MOST_PAGES, True)
    again, second = look(cursor, vendor, NOON + 60)
    assert (again, second.pages, second.has_gap) == ([], 1, False)


def test_ends_are_found_that_move_to_the_next_page_while_it_is_requested() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run("old", NOON - 100)])
    look(cursor, vendor)
    vendor.end(*(run(each, NOON) for each in ids(250)))
    more = count()
    found, _ = look(cursor, vendor, NOON, lambda: vendor.end(run(f"more-{next(more)}", NOON + 1)))
    found += look(cursor, vendor, NOON + 1)[0]
    assert sorted(found) == sorted([*ids(250), *ids(next(more), "more")])


# --- entries without an end -----------------------------------------------------------------------------------------


def test_ends_are_found_behind_pages_of_tasks_that_run() -> None:
    """Where entries without an end stand is not documented: here they come first."""
    busy = [run(each, None) for each in ids(250, "busy")]
    cursor, vendor = FeedCursor(RUNS), Vendor([*busy, run("old", NOON - 5)])
    assert look(cursor, vendor)[0] == ["old"]
    vendor.entries = [*busy, run("new", NOON), run("old", NOON - 5)]
    found, one = look(cursor, vendor, NOON + 60)
    assert (found, one.blank_pages) == (["new"], 2)


def test_while_nothing_has_ended_the_pages_behind_the_first_are_searched_once_a_minute() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run(each, None) for each in ids(10_000)])
    pages = [look(cursor, vendor, NOON + second)[1].pages for second in range(125)]
    assert [pages.index(MOST_PAGES), sum(pages)] == [0, 3 * MOST_PAGES + 122]
    vendor.end(run("a", NOON + 124))
    found, one = look(cursor, vendor, NOON + 125)
    assert (found, one.pages, one.has_gap) == (["a"], 2, False)


def test_ends_behind_pages_of_tasks_that_run_are_found_at_every_look_once_they_have_been_found() -> None:
    busy = [run(each, None) for each in ids(250, "busy")]
    cursor, vendor = FeedCursor(RUNS), Vendor([*busy, run("old", NOON - 5)])
    look(cursor, vendor)
    for second in range(1, 9):
        vendor.entries.insert(250, run(f"r{second}", NOON + second))
        assert look(cursor, vendor, NOON + second)[0] == [f"r{second}"]


# --- clocks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind", [-3000.0, 0.0, 1e6])
def test_the_vendors_clock_need_not_agree_with_ours(behind: float) -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run("old", NOON - behind)])
    look(cursor, vendor)
    for second in range(1, 10):
        vendor.end(*(run(f"{each}-{second}", NOON - behind + second - 0.001) for each in ids(120)))
        assert len(look(cursor, vendor, NOON + second)[0]) == 120


def test_a_planned_end_in_the_future_does_not_hide_others() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run("planned", NOON + 1e6), run("old", NOON - 9)])
    look(cursor, vendor)
    vendor.end(*(run(each, NOON) for each in ids(250)))
    found, one = look(cursor, vendor, NOON + 1)
    assert (sorted(found), one.is_ordered) == (sorted(ids(250)), True)


def test_times_without_a_zone_are_in_that_of_the_api() -> None:
    row = {"InstanceKey": "7_2026", "InstanceState": "COMPLETED", "EndTime": "2026-01-01 08:00:00"}
    (end,) = FeedCursor(INSTANCES).look(SCOPE, NOON).take({"Data": {"Items": [row], "TotalPageNumber": 1}})
    assert end.ended_at == NOON


# --- a feed that lies -----------------------------------------------------------------------------------------------


def test_an_end_that_is_shown_in_two_ways_is_not_clear() -> None:
    entries = [run("a", NOON), run("a", NOON, "FAILED"), run("b", NOON), run("b", NOON)]
    ends = FeedCursor(RUNS).look(SCOPE, NOON).take(Vendor(entries).answer({}))
    assert {end.task_id: end.is_clear for end in ends} == {"a": False, "b": True}


@pytest.mark.parametrize(("later", "ordered"), [(0.5, True), (5.0, False)])
def test_a_look_notes_whether_the_entries_are_ordered(later: float, ordered: bool) -> None:
    entries = [run("a", NOON), run("b", NOON + later)]
    assert look(FeedCursor(RUNS), Vendor(entries))[1].is_ordered is ordered


def test_a_cursor_knows_which_ends_the_feed_has_told() -> None:
    cursor = FeedCursor(RUNS)
    assert cursor.has_told("a", NOON) is None
    look(cursor, Vendor([run("a", NOON), run("b", NOON - 50)]))
    assert cursor.has_told("a", NOON + 1) is True
    assert cursor.has_told("a", NOON + 60) is False
    assert cursor.has_told("c", NOON) is False


def test_a_cursor_does_not_know_what_stands_behind_the_first_page() -> None:
    cursor = FeedCursor(RUNS)
    look(cursor, Vendor([run(each, NOON - number) for number, each in enumerate(ids(150))]))
    assert cursor.has_told("run-120", NOON - 120) is None


# --- a feed for days ------------------------------------------------------------------------------------------------


def test_old_ends_are_forgotten_and_never_new_again() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor()
    look(cursor, vendor)
    for minute in range(30):
        vendor.end(*(run(f"{each}-{minute}", NOON + 60 * minute) for each in ids(200)))
        assert len(look(cursor, vendor, NOON + 60 * minute)[0]) == 200
    assert len(cursor.as_dict()["seen"]) < 2500
    assert cursor.floor > NOON
    vendor.entries = [run("run-0-29", NOON + 60 * 29), run("run-0-0", NOON)]
    assert look(cursor, vendor, NOON + 1e4)[0] == []


def test_very_many_ends_at_once_are_forgotten_too() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run("old", NOON - 9)])
    look(cursor, vendor)
    vendor.end(*(run(each, NOON + number / 1e4) for number, each in enumerate(ids(30_000))))
    assert len(look(cursor, vendor, most_pages=1000)[0]) == 30_000
    assert len(cursor.as_dict()["seen"]) <= 10_000


# --- a cursor that another process goes on with ---------------------------------------------------------------------


def test_another_process_goes_on_where_one_has_stopped() -> None:
    cursor, vendor = FeedCursor(RUNS), Vendor([run("old", NOON - 9)])
    look(cursor, vendor)
    vendor.end(*(run(each, NOON) for each in ids(150)))
    look(cursor, vendor, NOON)
    resumed = FeedCursor.from_dict(RUNS, json.loads(json.dumps(cursor.as_dict())))
    vendor.end(*(run(each, NOON + 60) for each in ids(350, "meanwhile")))
    assert sorted(look(resumed, vendor, NOON + 90)[0]) == sorted(ids(350, "meanwhile"))


def test_a_cursor_that_has_seen_nothing_is_stored_too() -> None:
    resumed = FeedCursor.from_dict(RUNS, json.loads(json.dumps(FeedCursor(RUNS).as_dict())))
    assert look(resumed, Vendor([run("a", NOON)]))[0] == ["a"]


def test_ends_since_a_time_are_new_and_earlier_ones_are_not() -> None:
    vendor = Vendor([run(each, NOON - number) for number, each in enumerate(ids(500))])
    found, _ = look(FeedCursor(RUNS, since=NOON - 300.5), vendor)
    assert found == ids(301)


# --- any feed -------------------------------------------------------------------------------------------------------


@given(
    seconds=st.lists(st.lists(st.integers(0, 3), max_size=12), max_size=12),
    page_size=st.integers(1, 7),
    blanks=st.integers(0, 9),
    first=st.booleans(),
)
def test_an_honest_feed_tells_every_end_once(
    seconds: list[list[int]], page_size: int, blanks: int, first: bool
) -> None:
    """Ends of the same second in any number, with running tasks before or behind them."""
    feed = RUNS.feed
    assert feed is not None
    api = dataclasses.replace(
        RUNS, feed=dataclasses.replace(feed, tasks=dataclasses.replace(feed.tasks, page_size=page_size))
    )
    cursor, vendor = FeedCursor(api, since=NOON - 1), Vendor(page_size=page_size)
    number, ended, found = count(), [], []
    busy = [run(each, None) for each in ids(blanks, "busy")]
    for second, steps in enumerate(seconds):
        ended += [run(f"r{next(number)}", NOON + 4 * second + step) for step in steps]
        ordered = sorted(ended, key=lambda entry: -int(entry["EndTime"]))
        vendor.entries = [*busy, *ordered] if first else [*ordered, *busy]
        found += look(cursor, vendor, NOON + 4 * second, most_pages=1000)[0]
    assert sorted(found) == sorted(entry["ExecutionId"] for entry in ended)


@given(
    st.lists(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(-500, 500), st.booleans()), max_size=30)),
)
def test_no_feed_makes_a_look_endless_or_tells_an_end_twice(looks: list[list[tuple[str, int, bool]]]) -> None:
    cursor, told = FeedCursor(RUNS), []
    for number, rows in enumerate(looks):
        vendor = Vendor([run(task, NOON + at if ends else None) for task, at, ends in rows], page_size=3)
        one = cursor.look(SCOPE, NOON + number)
        while one.next_page is not None:
            told += [(end.task_id, end.ended_at) for end in one.take(vendor.answer(one.next_page))]
        assert one.pages <= MOST_PAGES
    assert len(told) == len(set(told))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("ExecutionId", "ExecutionState", "EndTime", "WorkflowId", "TaskExecutionState", "ExecutionEndTime")


@pytest.mark.parametrize("name", ["wedata.workflow_run", "wedata.newest_workflow_run", "wedata.task_run"])
@given(rows=st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON, max_size=9))
def test_whatever_an_entry_holds_only_ends_with_an_id_and_a_time_are_returned(name: str, rows: list[Any]) -> None:
    one = FeedCursor(APIS[name]).look(SCOPE, NOON)
    for end in one.take({"Data": {"Items": rows, "TotalPageNumber": 1}}):
        assert isinstance(end.task_id, str)
        assert end.task_id
        assert isinstance(end.ended_at, float)
