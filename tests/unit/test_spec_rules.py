"""Each rule of a spec, broken on purpose: the error names the spec, what is wrong and what was expected."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_cloudtasks.model import Cloud, TaskState
from airflow_cloudtasks.spec import (
    Action,
    Cancel,
    Encoding,
    Failure,
    Feed,
    Find,
    Log,
    ManyIds,
    Parts,
    Percentages,
    Results,
    Service,
    Start,
    Success,
    TaskApi,
    TaskList,
    validate,
)
from airflow_cloudtasks.spec.action import Method, ParamsIn
from airflow_cloudtasks.spec.template import literal
from airflow_cloudtasks.values import fold

TOYS = Service(cloud="tencent", name="toys", version="2026-01-31")
BEGIN = Action(name="BeginToy", params=("ProjectId", "Colour"), optional=("Tags",))
END = Action(name="EndToy", params=("ProjectId", "ToyId"))
PAGES: dict[str, Any] = {
    "page_size_param": "PageSize",
    "page_size": 100,
    "page_param": "PageNumber",
    "page_count": "TotalPages",
}
NO_PAGES: dict[str, Any] = {"page_size_param": None, "page_size": 0, "page_param": None, "page_count": None}


def toy_list(*params: str, template: Any = None, **changes: Any) -> TaskList:
    action = Action(name="ListToys", params=params, template=template or {})
    return TaskList(**{"action": action, "tasks": "Toys", **PAGES, **changes})


def many_toys(*params: str, template: Any = None, **changes: Any) -> ManyIds:
    action = Action(name="GetToys", params=("Ids", *params), template=template or {})
    return ManyIds(**{"action": action, "tasks": "Toys", "most": 50, **changes})


INTEGER_IDS = Action(name="GetToy", params=("ProjectId", "ToyId"), template={"ToyId": "{ToyId:integer}"})

API = TaskApi(
    name="toys.toy",
    service=TOYS,
    read=Action(name="GetToy", params=("ProjectId", "ToyId")),
    id_param="ToyId",
    states={"ON": TaskState.RUNNING, "DONE": TaskState.SUCCEEDED, "BROKEN": TaskState.FAILED},
    id="ToyId",
    progress="Done",
    progress_whole=100,
    console_url="https://toys.test/{region}/{ProjectId}/{id}",
    list_tasks=toy_list("ProjectId"),
    read_many=many_toys("ProjectId"),
    feed=Feed(tasks=toy_list("ProjectId", template={"Sort": "EndedAt"}), ended_at="EndedAt"),
    starts=(Start(action=BEGIN, id="ToyId"),),
    cancel=Cancel(action=END, id_param="ToyId"),
)


FIND_BY_PUT = Find(tasks=TaskList(action=Action(name="FindToys", method="PUT"), tasks="Toys"), id="Id", created_at="At")
LOG_BY_PUT = Log(
    action=Action(name="GetLog", method="PUT"), params={}, text="Text", cursor="Next", cursor_param="Cursor"
)
PARTS_BY_PUT = Parts(listed=TaskList(action=Action(name="ListParts", method="PUT"), tasks="Parts"))
IN_HEADER: dict[str, Any] = {"ProjectId": "header"}


def error_of(make: Callable[[], Any]) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the caller compares the whole text
        make()
    return str(caught.value)


BROKEN_RULES: dict[str, list[tuple[dict[str, Any], str]]] = {
    "name_has_a_service": [
        ({"name": name}, f"{name}: TaskApi name {name!r} is not of the form 'service.kind_of_task'.")
        for name in ("", "toy", "toys.", ".toy", "Toys.toy", "toys toy", "toys.toy ", "toys..toy")
    ],
    "id_is_a_parameter": [
        ({"id_param": "TaskId"}, "toys.toy: id_param 'TaskId' is none of GetToy's params ('ProjectId', 'ToyId')."),
        (
            {"read": dataclasses.replace(API.read, template={"ToyId": 7})},
            "toys.toy: GetToy always sends 7 as ToyId; its template lacks the id.",
        ),
    ],
    "tencent_takes_json": [
        (changes, f"toys.toy: {name} has method {method} and places {places}; Tencent Cloud takes neither.")
        for changes, name, method, places in (
            ({"read": dataclasses.replace(API.read, method="DELETE")}, "GetToy", "DELETE", {}),
            ({"read": dataclasses.replace(API.read, places=IN_HEADER)}, "GetToy", "POST", IN_HEADER),
            ({"cancel": Cancel(action=dataclasses.replace(END, method="PUT"), id_param="ToyId")}, "EndToy", "PUT", {}),
            ({"starts": (Start(action=dataclasses.replace(BEGIN, method="PUT"), id="Id"),)}, "BeginToy", "PUT", {}),
            (
                {"list_tasks": TaskList(action=Action(name="ListToys", method="PUT"), tasks="Toys", **PAGES)},
                "ListToys",
                "PUT",
                {},
            ),
            (
                {
                    "starts": (
                        Start(action=BEGIN, id="Id", then=Action(name="RunToy", params=("ToyId",), method="PUT")),
                    )
                },
                "RunToy",
                "PUT",
                {},
            ),
            ({"starts": (Start(action=BEGIN, id="Id", find=FIND_BY_PUT),)}, "FindToys", "PUT", {}),
            ({"parts": Parts(log=LOG_BY_PUT)}, "GetLog", "PUT", {}),
            ({"parts": PARTS_BY_PUT}, "ListParts", "PUT", {}),
        )
    ],
    "statuses_mean_states": [
        ({"states": {"DONE": "succeded"}}, "toys.toy: status 'DONE' means 'succeded', which is no TaskState."),
        ({"states": {"DONE": None}}, "toys.toy: status 'DONE' means None, which is no TaskState."),
    ],
    "statuses_are_distinct": [
        (
            {"states": {"Done": TaskState.SUCCEEDED, "DONE ": TaskState.FAILED}},
            "toys.toy: a status stands in states twice, but for case: Done, DONE .",
        ),
    ],
    "a_status_ends_a_task": [
        ({"states": {}}, "toys.toy: no status in states ends a task, so no wait could end."),
        (
            {"states": {"ON": TaskState.RUNNING, "?": TaskState.UNKNOWN}},
            "toys.toy: no status in states ends a task, so no wait could end.",
        ),
    ],
    "percentages_have_their_own_words": [
        (
            {"status": Percentages(complete="Complete", succeeded="Good")},
            "toys.toy: states of percentages must be those of complete, complete with failures, incomplete.",
        ),
    ],
    "progress_has_a_whole": [
        ({"progress_whole": whole}, f"toys.toy: progress_whole is {whole!r}; expected a number above 0.")
        for whole in (0, -1, 0.0, float("nan"))
    ],
    "console_url_can_be_filled_in": [
        ({"console_url": "https://toys.test/{Colour}"}, "toys.toy: console_url has {Colour}, which nothing fills in."),
    ],
    "list_has_pages": [
        (
            {"list_tasks": toy_list("ProjectId", **NO_PAGES)},
            "toys.toy: list_tasks has no pages, so that it may grow too long to be read.",
        ),
    ],
    "listed_tasks_have_ids": [
        (
            {"id": None, "read_many": None},
            "toys.toy: with list_tasks, id must say where a task object holds the task's id.",
        ),
    ],
    "tasks_read_together_have_ids": [
        (
            {"id": None, "list_tasks": None},
            "toys.toy: with read_many, id must say where a task object holds the task's id.",
        ),
    ],
    "tasks_read_together_are_one_each": [
        (
            {"first_ended": "Toys"},
            "toys.toy: first_ended looks for one of several tasks, so that read_many cannot read it by an id.",
        ),
    ],
    "ids_read_together_have_their_type": [
        (
            {"read": INTEGER_IDS, "read_many": many_toys(template=template)},
            "toys.toy: ids are integers, but GetToys takes Ids as texts; expected integers.",
        )
        for template in (None, {"Ids": "{Ids:list}"}, {"Ids": "{Ids}"}, {"A": "{Ids:integers}", "B": "{Ids:list}"})
    ],
    "list_takes_what_tasks_share": [
        ({"list_tasks": toy_list("Colour")}, "toys.toy: list_tasks needs Colour, which is none of ('ProjectId',)."),
        ({"list_tasks": toy_list("ToyId")}, "toys.toy: list_tasks needs ToyId, which is none of ('ProjectId',)."),
    ],
    "feed_has_pages": [
        (
            {"feed": Feed(tasks=toy_list("ProjectId", **NO_PAGES), ended_at="EndedAt")},
            "toys.toy: feed has no pages, so that reading its newest ends would mean reading all of it.",
        )
    ],
    "feed_takes_what_is_known": [
        (
            {"feed": Feed(tasks=toy_list("ProjectId", "Shop"), ended_at="EndedAt")},
            "toys.toy: feed needs Shop, which is none of ('ProjectId',).",
        ),
        (
            {"feed": Feed(tasks=toy_list("ToyId"), ended_at="EndedAt")},
            "toys.toy: feed needs ToyId, which is none of ('ProjectId',).",
        ),
    ],
    "tasks_of_feed_have_ids": [
        (
            {"id": None, "list_tasks": None, "read_many": None},
            "toys.toy: with feed, its id or the API's id must say where an entry holds the task's id.",
        )
    ],
    "tasks_of_feed_show_their_end": [
        (
            {"feed": Feed(tasks=toy_list("ProjectId"))},
            "toys.toy: with feed, its ended_at or the API's finished_at must say where an entry holds the time of the "
            "end.",
        )
    ],
    "complete_tasks_of_feed_are_read_like_others": [
        (
            {"first_ended": "Toys", "read_many": None},
            "toys.toy: first_ended looks for one of several tasks, so that no entry of feed is complete.",
        ),
        *(
            (
                {"feed": Feed(tasks=toy_list("ProjectId"), ended_at="EndedAt", **own)},
                "toys.toy: feed has an id or a status of its own, so that its entries are not complete: set "
                "complete=False.",
            )
            for own in ({"id": "Toy.Id"}, {"status": "Word"})
        ),
    ],
    "starts_identify_the_task": [
        (
            {"starts": (*API.starts, Start(action=Action(name="CopyToy", params=("Colour",)), id="ToyId"))},
            "toys.toy: ProjectId identifies a task, but it is neither a parameter of CopyToy nor in its names.",
        ),
    ],
    "cancel_needs_what_is_known": [
        (
            {"cancel": Cancel(action=Action(name="EndToy", params=("ToyId", "Colour")), id_param="ToyId")},
            "toys.toy: EndToy needs Colour, which neither identifies a task nor is in found or needs.",
        ),
    ],
    "starts_know_what_cancel_needs": [
        (
            {"cancel": Cancel(action=Action(name="EndToy", params=("ToyId", "Box")), id_param="ToyId", needs=("Box",))},
            "toys.toy: canceling needs Box, but it is neither a parameter of BeginToy nor in its names.",
        ),
    ],
    "list_is_read_for_one_task": [
        (
            {"find_in_list": True, "list_tasks": None},
            "toys.toy: with find_in_list, read must be the action of list_tasks; it is GetToy.",
        ),
        (
            {"find_in_list": True, "list_tasks": toy_list("ProjectId")},
            "toys.toy: with find_in_list, read must be the action of list_tasks; it is GetToy.",
        ),
        (
            {"find_in_list": True, "read": toy_list("ToyId").action, "list_tasks": toy_list("ToyId"), "starts": ()},
            "toys.toy: ListToys takes ToyId, so that a task need not be searched: omit find_in_list.",
        ),
    ],
    "nothing_else_places_the_task": [
        (
            {"find_in_list": True, "read": toy_list("ProjectId").action, "list_tasks": toy_list("ProjectId"), **place},
            "toys.toy: with find_in_list, the path of the task objects is that of list_tasks; omit task and "
            "first_ended.",
        )
        for place in ({"task": "Toys.0"}, {"first_ended": "Toys"})
    ],
    "restarts_show_their_end": [
        (
            {"restarts": True},
            "toys.toy: with restarts, finished_at must say where a task object holds the end of its last run.",
        ),
    ],
    "results_need_what_identifies_the_task": [
        (
            {
                "results": Results(
                    action=Action(name="GetRows", params=("ToyId", "Shop"), optional=("Size", "Next")),
                    columns="Columns",
                    column_name="Name",
                    rows=("Rows",),
                    next_page="Next",
                    page_size_param="Size",
                    page_size=10,
                    page_param="Next",
                )
            },
            "toys.toy: results need Shop, which is none of GetToy's params ('ProjectId', 'ToyId').",
        ),
    ],
    "timezone_is_an_offset": [
        ({"timezone": zone}, f"toys.toy: timezone {zone!r} is not of the form '+08:00'.")
        for zone in ("", "Z", "08:00", "+0800", "+8:00", "+24:00", "+08:60", "+08:00 ", "Asia/Shanghai")
    ],
}


def test_breaks_every_rule_of_a_spec() -> None:
    functions = inspect.getmembers(validate, inspect.isfunction)
    assert set(BROKEN_RULES) == {name for name, rule in functions if rule.__module__ == validate.__name__}


@pytest.mark.parametrize(
    ("changes", "text"), [pytest.param(*case, id=rule) for rule, cases in BROKEN_RULES.items() for case in cases]
)
def test_refuses_a_spec_that_breaks_a_rule(changes: dict[str, Any], text: str) -> None:
    assert error_of(lambda: dataclasses.replace(API, **changes)) == text


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "a_1.b.c"},
        {"progress_whole": "Total"},
        {"console_url": None},
        {"console_url": "https://toys.test/"},
        {"list_tasks": None, "read_many": None, "feed": None, "id": None},
        {"read_many": many_toys("Shop", "Day")},
        {"read_many": many_toys(template={"Filters": [{"Name": "id", "Values": "{Ids:list}"}], "Limit": 50})},
        {"read_many": many_toys(complete=False, most=2)},
        {"read": INTEGER_IDS, "read_many": many_toys(template={"Ids": "{Ids:integers}"})},
        {"read": INTEGER_IDS, "read_many": many_toys(template={"Ids": "{Ids:comma}"})},
        {"list_tasks": toy_list()},
        {"feed": None},
        {"feed": Feed(tasks=toy_list(), ended_at="EndedAt")},
        {"feed": Feed(tasks=toy_list("ProjectId")), "finished_at": "EndedAt"},
        {"feed": Feed(tasks=toy_list(complete=False), id="Toy.Id", status="Word", ended_at="EndedAt")},
        {"feed": Feed(tasks=toy_list(complete=False), ended_at="EndedAt"), "first_ended": "Toys", "read_many": None},
        {"read": dataclasses.replace(API.read, success=Success("Ok"))},
        {"starts": (Start(action=dataclasses.replace(BEGIN, success=Success("A.Ok", "A.Code", "A.Text")), id="Id"),)},
        {"restarts": True, "finished_at": "End"},
        {"find_in_list": True, "read": toy_list("ProjectId").action, "list_tasks": toy_list("ProjectId")},
        {"starts": ()},
        {"starts": (Start(action=Action(name="CopyToy"), id="ToyId", names={"ProjectId": "1"}),)},
        {"cancel": None},
        {
            "cancel": Cancel(
                action=Action(name="EndToy", params=("ToyId", "Colour")), id_param="ToyId", found={"Colour": "Colour"}
            )
        },
        {
            "status": Percentages(complete="Complete", succeeded="Good"),
            "states": {
                Percentages.INCOMPLETE: TaskState.RUNNING,
                Percentages.COMPLETE: TaskState.SUCCEEDED,
                Percentages.FAILURES: TaskState.FAILED,
            },
        },
    ],
)
def test_accepts_a_spec_that_obeys_the_rules(changes: dict[str, Any]) -> None:
    api = dataclasses.replace(API, **changes)
    assert TaskApi.from_dict(json.loads(json.dumps(api.as_dict()))) == api


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: Action(name="GetToy", params=("ToyId",), path="/toys/{Id}"),
            "GetToy: the path '/toys/{Id}' has {Id}, which is none of its params.",
        ),
        *(
            (
                lambda rate=rate: Action(name="GetToy", requests_per_second=rate),
                f"GetToy: requests_per_second is {rate!r}; expected more than 0.",
            )
            for rate in (0, -1, float("nan"), float("inf"))
        ),
        *(
            (
                lambda success=success: Action(name="GetToy", success=success),
                f"GetToy: success has path {path!r}; expected names with dots between them.",
            )
            for success, path in (
                (Success(""), ""),
                (Success("Data..Ok"), "Data..Ok"),
                (Success("Ok", code=" "), " "),
                (Success("Ok", message="Error."), "Error."),
            )
        ),
        (
            lambda: toy_list(next_page="Next"),
            "ListToys: expected one of next_page, page_count and total of its list.",
        ),
        *(
            (
                lambda missing=missing: toy_list(**{missing: NO_PAGES[missing]}),
                "ListToys: a list has page_param or offset_param, page_size_param, page_size and one of next_page, "
                "page_count and total, or none of them.",
            )
            for missing in NO_PAGES
        ),
        (
            lambda: many_toys(ids_param="ToyIds"),
            "GetToys: ids_param 'ToyIds' is none of its params ('Ids',).",
        ),
        (
            lambda: many_toys(action=Action(name="GetToys", params=("Ids",), path="/toys/{Ids}")),
            "GetToys: Ids takes several ids, so it cannot be in the path '/toys/{Ids}'.",
        ),
        (
            lambda: many_toys(template={"Ids": "{Ids:integer}"}),
            "GetToys: its template has {Ids:integer}; expected integers, because it takes several ids.",
        ),
        *(
            (lambda most=most: many_toys(most=most), f"GetToys: most is {most!r}; expected 2 ids or more.")
            for most in (1, 0, -1)
        ),
        (
            lambda: Cancel(action=END),
            "EndToy: 'TaskId' is none of its params ('ProjectId', 'ToyId').",
        ),
        (
            lambda: Cancel(action=END, id_param="ToyId", found={"Colour": "Colour"}),
            "EndToy: 'Colour' is none of its params ('ProjectId', 'ToyId').",
        ),
        (
            lambda: Cancel(action=END, id_param="ToyId", needs=("Colour",)),
            "EndToy: 'Colour' is none of its parameters ('ProjectId', 'ToyId').",
        ),
        *(
            (
                lambda changes=changes: Start(**{"action": BEGIN, "id": "ToyId", **changes}),
                f"BeginToy: {text}",
            )
            for changes, text in (
                ({"id": None}, "expected one of id, ids_param, job_ids and named_by."),
                ({"ids_param": "Tags"}, "expected one of id, ids_param, job_ids and named_by."),
                ({"job_ids": "Ids"}, "expected one of id, ids_param, job_ids and named_by."),
                (
                    {"id": None, "job_ids": "Ids"},
                    "job_ids needs a job, and allows neither then nor find: both need an id before the job has ended.",
                ),
                (
                    {
                        "id": None,
                        "named_by": "Colour",
                        "find": Find(tasks=toy_list(), id="ToyId", created_at="Created"),
                    },
                    "named_by finds the task by its id: omit find.",
                ),
                ({"id": None, "named_by": "Name"}, "'Name' is none of its parameters ('ProjectId', 'Colour', 'Tags')."),
                ({"job": "Job"}, "expected both job and job_api, or neither."),
                ({"job_api": "toys.job"}, "expected both job and job_api, or neither."),
                ({"client_token": "Token"}, "'Token' is none of its parameters ('ProjectId', 'Colour', 'Tags')."),
                ({"mark": "Note"}, "'Note' is none of its parameters ('ProjectId', 'Colour', 'Tags')."),
                ({"id": None, "ids_param": "Ids"}, "'Ids' is none of its parameters ('ProjectId', 'Colour', 'Tags')."),
                (
                    {"encodings": {"Size.X": "json"}},
                    "'Size' is none of its parameters ('ProjectId', 'Colour', 'Tags').",
                ),
                (
                    {"find": Find(tasks=toy_list("Shop"), id="ToyId", created_at="Created")},
                    "find takes 'Shop', which is none of its parameters ('ProjectId', 'Colour', 'Tags').",
                ),
                (
                    {"find": Find(tasks=toy_list(), id="ToyId", created_at="Created", shows={"Size": "Size"})},
                    "find takes 'Size', which is none of its parameters ('ProjectId', 'Colour', 'Tags').",
                ),
                (
                    {"then": Action(name="GoToy", params=("ToyId", "Speed"))},
                    "GoToy has to take one parameter, the new id, besides those of BeginToy.",
                ),
                (
                    {"then": Action(name="GoToy", params=("ProjectId",))},
                    "GoToy has to take one parameter, the new id, besides those of BeginToy.",
                ),
            )
        ),
    ],
)
def test_refuses_a_part_of_a_spec_that_breaks_a_rule(make: Callable[[], Any], text: str) -> None:
    assert error_of(make) == text


# Every field with a fixed set of values: its Literal, how to make the part with a value, and how its error begins.
LITERALS: dict[str, tuple[Any, Callable[[Any], Any], str]] = {
    "cloud": (
        Cloud,
        lambda value: Service(cloud=value, name="toys", version="1"),
        "Service 'toys' has cloud",
    ),
    "method": (
        Method,
        lambda value: Action(name="GetToy", method=value),
        "GetToy: method is",
    ),
    "params_in": (
        ParamsIn,
        lambda value: Action(name="GetToy", params_in=value),
        "GetToy: params_in is",
    ),
    "encodings": (
        Encoding,
        lambda value: Start(action=BEGIN, id="ToyId", encodings={"Tags": value}),
        "BeginToy: Tags is encoded as",
    ),
}


@pytest.mark.parametrize("field", LITERALS)
def test_accepts_each_value_of_a_literal(field: str) -> None:
    literal, make, _ = LITERALS[field]
    for value in get_args(literal):
        make(value)


@pytest.mark.parametrize("field", LITERALS)
@given(value=st.one_of(st.text(), st.none(), st.integers(), st.booleans()))
def test_refuses_every_other_value_of_a_literal(field: str, value: Any) -> None:
    literal, make, beginning = LITERALS[field]
    if value not in get_args(literal):
        assert error_of(lambda: make(value)) == f"{beginning} {value!r}; expected one of {get_args(literal)}."


@pytest.mark.parametrize("field", LITERALS)
def test_refuses_a_value_of_a_literal_in_another_case(field: str) -> None:
    literal, make, beginning = LITERALS[field]
    value = get_args(literal)[0].swapcase()
    assert error_of(lambda: make(value)) == f"{beginning} {value!r}; expected one of {get_args(literal)}."


@given(minutes=st.integers(min_value=-(24 * 60 - 1), max_value=24 * 60 - 1))
def test_reads_every_offset_as_a_time_zone(minutes: int) -> None:
    hours, rest = divmod(abs(minutes), 60)
    api = dataclasses.replace(API, timezone=f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}")
    assert api.zone.utcoffset(None) == timedelta(minutes=minutes)


@given(states=st.dictionaries(st.text(), st.sampled_from(TaskState), max_size=5))
def test_accepts_states_if_and_only_if_they_are_distinct_and_end_a_task(states: dict[str, TaskState]) -> None:
    is_accepted = len(set(map(fold, states))) == len(states) and any(state.done for state in states.values())
    if is_accepted:
        assert dataclasses.replace(API, states=states).states == states
    else:
        assert re.search("twice|ends a task", error_of(lambda: dataclasses.replace(API, states=states)))


WORDS = st.lists(st.sampled_from(["FAIL", "error"]), max_size=2).map(tuple)
NAMES = st.text(alphabet=st.characters(min_codepoint=32, exclude_characters="{}"), min_size=1, max_size=8)


@given(
    states=st.dictionaries(st.sampled_from(["A", "B", "C"]), st.sampled_from(TaskState)),
    regions=st.lists(NAMES, max_size=3),
    json_fields=st.lists(NAMES, max_size=3),
    constants=st.dictionaries(NAMES, st.one_of(NAMES, st.integers(), st.lists(st.dictionaries(NAMES, NAMES)))),
    optional_paths=st.fixed_dictionaries(
        {name: st.none() | NAMES for name in ("task_name", "message", "created_at", "finished_at")}
    ),
    failures=st.lists(st.builds(Failure, path=st.from_regex(r"[A-Z*]+(\.[A-Z*]+)?", fullmatch=True), values=WORDS)),
    encodings=st.dictionaries(st.sampled_from(BEGIN.accepted), st.sampled_from(get_args(Encoding))),
)
def test_a_spec_is_the_same_after_a_round_trip_through_json(
    states: dict[str, TaskState],
    regions: list[str],
    json_fields: list[str],
    constants: dict[str, Any],
    optional_paths: dict[str, str | None],
    failures: list[Failure],
    encodings: dict[str, Any],
) -> None:
    api = dataclasses.replace(
        API,
        service=dataclasses.replace(TOYS, regions=tuple(regions)),
        states={"END": TaskState.SUCCEEDED, **states},
        json_fields=tuple(json_fields),
        list_tasks=toy_list("ProjectId", template=literal(constants)),
        read_many=many_toys("ProjectId", template=literal(constants), most=2 + len(constants)),
        starts=(Start(action=BEGIN, id="ToyId", encodings=encodings),),
        failures=tuple(failures),
        **optional_paths,
    )
    assert TaskApi.from_dict(json.loads(json.dumps(api.as_dict()))) == api
