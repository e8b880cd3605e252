"""A template puts parameters where the vendor takes them, with the types that it takes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_cloudtasks.clouds.client import Account, CloudClient
from airflow_cloudtasks.clouds.credentials.source import StaticCredentials
from airflow_cloudtasks.clouds.wire import Credentials
from airflow_cloudtasks.errors import InvalidArguments, InvalidConnection
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.task_ids import one_task_id, task_ids
from airflow_cloudtasks.spec import Action, Service, Start, TaskApi
from airflow_cloudtasks.spec.stored import _action, _task_list
from airflow_cloudtasks.spec.template import day, fill, literal

from .calls import ALIBABA_SERVICE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=8,
)
# Texts that look like placeholders, and others.
TEXTS = st.sampled_from(["{Id}", "{Id:integer}", "{{Id}}", "{region}", "{", "{Id} ", "a"]) | st.text(max_size=5)
CONSTANTS = st.dictionaries(
    st.sampled_from(["A", "B"]), TEXTS | st.lists(st.dictionaries(st.just("Name"), TEXTS), max_size=2)
)

VALUES = {"Id": "7", "Ids": ["7", "8"], "region": "cn-hangzhou"}


@pytest.mark.parametrize(
    ("part", "filled"),
    [
        ("{Id}", "7"),
        ("{Id:integer}", 7),
        ("{Id:list}", ["7"]),
        ("{Id:integers}", [7]),
        ("{Id:comma}", "7"),
        ("{Ids}", ["7", "8"]),
        ("{Ids:list}", ["7", "8"]),
        ("{Ids:integers}", [7, 8]),
        ("{Ids:comma}", "7,8"),
        ("{region}", "cn-hangzhou"),
        ("{{Id}}", "{Id}"),
        ("id {Id}", "id {Id}"),
        (7, 7),
        (None, None),
        ([{"Name": "task-id", "Values": ["{Id}"]}], [{"Name": "task-id", "Values": ["7"]}]),
    ],
)
def test_fills_a_part_of_a_template(part: Any, filled: Any) -> None:
    assert fill({"Part": part}, VALUES) == {"Part": filled}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ({"A": "{Gone}", "B": 1}, {"B": 1}),
        ({"A": ["{Gone}", "x"]}, {}),
        ({"A": {"Name": "gone", "Values": ["{Gone}"]}, "B": {}}, {"B": {}}),
        ({"A": [{"Name": "gone", "Values": ["{Gone}"]}, {"Values": ["{Id}"]}]}, {"A": [{"Values": ["7"]}]}),
        ({"A": {"Id": "{Id}", "Gone": "{Gone}"}}, {"A": {"Id": "7"}}),
    ],
)
def test_leaves_out_a_part_whose_parameters_have_no_value(template: dict[str, Any], filled: Any) -> None:
    assert fill(template, VALUES) == filled


@given(constant=JSON)
def test_sends_any_constant_unchanged(constant: Any) -> None:
    assert fill({"Part": literal(constant)}, VALUES) == {"Part": constant}


@given(number=st.integers(min_value=-(10**39), max_value=10**39))
def test_an_integer_is_the_number_that_its_text_shows(number: int) -> None:
    assert fill({"Id": "{Id:integer}"}, {"Id": str(number)}) == {"Id": number}


@pytest.mark.parametrize("value", ["7a", "", "7.0", "1e3", "\u0667", True, 7.0])
@pytest.mark.parametrize("kind", ["integer", "integers"])
def test_refuses_a_value_that_is_no_integer(value: Any, kind: str) -> None:
    with pytest.raises(InvalidArguments, match=r"^Id is .*; expected a whole number"):
        fill({"Id": f"{{Id:{kind}}}"}, {"Id": value})


def test_a_parameter_of_the_template_is_sent_only_there() -> None:
    filters = [{"Name": "task-id", "Values": ["{TaskId}"]}]
    action = Action(name="GetToy", params=("TaskId", "Project"), template={"Filters": filters, "Limit": 1})
    assert action.request({"TaskId": "7", "Project": "p"}) == {
        "Project": "p",
        "Filters": [{"Name": "task-id", "Values": ["7"]}],
        "Limit": 1,
    }


def test_sends_a_json_parameter_as_text() -> None:
    action = Action(name="StopToys", params=("Ids",), optional=("Note",), template={"Ids": "{Ids:integers}"})
    with_json = Action(name="StopToys", params=("Ids", "Note"), template=action.template, json_params=("Ids", "Note"))
    assert action.request({"Ids": ["7", "8"]}) == {"Ids": [7, 8]}
    assert with_json.request({"Ids": ["7", "8"], "Note": "[x]"}) == {"Ids": "[7,8]", "Note": "[x]"}
    assert Action(name="A", params=("B",), json_params=("B",)).request({"B": {"k": "ü"}}) == {"B": '{"k":"ü"}'}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"template": {"A": "{Gone}"}}, r"has {Gone}, which is none of its parameters"),
        ({"template": {"A": "{Id:integr}"}}, r"has {Id} of kind 'integr'; expected one of \('integer',"),
        ({"template": {"A": ("x",)}}, "of type tuple; expected text"),
        ({"template": {"A": float("nan")}}, "of type float; expected text"),
        ({"template": {"A": {7: 1}}}, "has the key 7; expected text"),
        ({"template": ["{Id}"]}, "template is .*; expected a dict"),
        ({"template": {"A": "{region}"}, "optional": ("region",)}, "means the region, so it can be no parameter"),
        ({"path": "/{Id}", "template": {"A": "{Id}"}}, "Id has two places, the path and the template"),
        ({"path": "/{Id}", "places": {"Id": "query"}}, "Id has two places; it is already in the path"),
        ({"template": {"A": "{Id}"}, "places": {"Id": "query"}}, "Id has two places; it is already in the template"),
        ({"template": {"A": "{Id}"}, "json_params": ("Id",)}, "Id has two places; it is already in the template"),
        ({"places": {"Gone": "query"}}, "'Gone' has a place, but it is none of its parameters"),
        ({"json_params": ("Gone",)}, "'Gone' has a place, but it is none of its parameters"),
        ({"places": {"Id": "cookie"}}, "the place of Id is 'cookie'; expected one of"),
        ({"places": {"Id": "form"}, "optional": ("B",)}, "cannot have a body of each of"),
        ({"places": {"Id": "body", "B": "body"}, "optional": ("B",)}, "cannot have a body of each of"),
        *(
            ({"places": {name: "header"}, "optional": (name,)}, f"the header {name} cannot be a parameter")
            for name in ("Host", "x-acs-date", "Content-Type")
        ),
        ({"method": "PATCH"}, "method is 'PATCH'; expected one of"),
    ],
)
def test_refuses_an_action_that_does_not_fit(fields: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        Action(**{"name": "GetToy", "params": ("Id",), **fields})


@given(constants=CONSTANTS, listed=CONSTANTS, has_filter=st.booleans())
def test_an_older_spec_sends_the_same_requests(
    constants: dict[str, Any], listed: dict[str, Any], has_filter: bool
) -> None:
    stored = {
        "name": "ListToys",
        "params": ["Id", "Colour"],
        "constants": constants,
        "filters": ["Colour"] if has_filter else [],
    }
    given = {"Id": "7", "Colour": "red"}
    plain = {"Id": "7"} if has_filter else given
    filters = {"Filters": [{"Name": "Colour", "Values": ["red"]}]} if has_filter else {}
    assert _action(json.loads(json.dumps(stored))).request(given) == plain | constants | filters
    listing = _task_list({"action": stored, "tasks": "Toys", "constants": listed})
    assert listing.action.request(given) == plain | listed | constants | filters


NUMBERED = TaskApi(
    name="toys.numbered",
    service=Service(cloud="tencent", name="toys", version="2026-01-31"),
    read=Action(
        name="GetToy", params=("Box", "TaskId"), template={"Box": "{Box:integer}", "TaskId": "{TaskId:integer}"}
    ),
    states={"DONE": TaskState.SUCCEEDED},
    starts=(Start(action=Action(name="MakeToy", params=("Box",), template={"Box": "{Box:integer}"}), id="TaskId"),),
)


def test_an_id_is_text_to_the_user_and_an_integer_on_the_wire() -> None:
    for given_id in ("7", 7, "007"):
        task_id = one_task_id(given_id, NUMBERED)
        assert task_id == "7"
        request = NUMBERED.read.request(NUMBERED.parameters(task_id, {"Box": "3"}))
        assert request == {"Box": 3, "TaskId": 7}
    assert task_ids(["7", 8], NUMBERED) == ("7", "8")


def test_refuses_an_id_that_is_no_integer_before_any_request() -> None:
    with pytest.raises(InvalidArguments, match="TaskId is 't-7'; expected a whole number"):
        one_task_id("t-7", NUMBERED)
    with pytest.raises(InvalidArguments, match=r"toys\.numbered: Box is 'b'; expected a whole number"):
        NUMBERED.check_params({"Box": "b"})
    with pytest.raises(InvalidArguments, match="MakeToy: Box is 'b'; expected a whole number"):
        encode(NUMBERED, NUMBERED.starts[0], {"Box": "b"})
    NUMBERED.check_params({"Box": "3"})
    assert encode(NUMBERED, NUMBERED.starts[0], {"Box": 3}) == {"Box": "3"}


@given(
    constant=JSON.map(literal),
    place=st.sampled_from(["query", "header"]),
    kind=st.sampled_from(["", ":integer", ":integers", ":list", ":comma"]),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
)
def test_a_spec_with_a_template_and_places_survives_json(constant: Any, place: Any, kind: str, method: Any) -> None:
    action = Action(
        name="GetToy",
        method=method,
        params=("TaskId", "Team"),
        params_in="query",
        template={"Filters": [{"Values": [f"{{TaskId{kind}}}"]}], "Part": constant, "Region": "{region}"},
        places={"Team": place},
        json_params=("Filters",),
    )
    api = replace(NUMBERED, service=ALIBABA_SERVICE, read=action, starts=())
    assert TaskApi.from_dict(json.loads(json.dumps(api.as_dict()))) == api


IN_REGION = Action(name="GetToy", params=("TaskId",), params_in="query", template={"RegionId": "{region}"})


def client_in(region: str | None) -> CloudClient:
    credentials = StaticCredentials(Credentials("id", "secret"))
    return CloudClient(Account(cloud="alibaba", credentials=credentials), region)


def test_fills_in_the_region_of_the_request() -> None:
    client = client_in("cn-beijing")
    _, request = client._sign(Credentials("id", "secret"), ALIBABA_SERVICE, IN_REGION, {"TaskId": "7"})
    assert request.url == "https://toy.aliyuncs.com/?RegionId=cn-beijing&TaskId=7"


def test_names_the_missing_region_instead_of_sending_a_request_without_it() -> None:
    with pytest.raises(InvalidConnection, match="Toy needs a region"):
        client_in(None)._sign(Credentials("id", "secret"), ALIBABA_SERVICE, IN_REGION, {"TaskId": "7"})


MIDNIGHT = 1_769_788_800_000  # 2026-01-31 00:00 in UTC+8


@pytest.mark.parametrize(
    "value",
    [
        *("2026-01-31", "20260131", " 2026-01-31\n", "2026-01-31T23:59:59+08:00", "2026-01-30T16:00:00+00:00"),
        *("2026-01-31 12:00:00", "2026-01-31T15:59:59Z", date(2026, 1, 31), datetime(2026, 1, 31, 9)),
        *(datetime(2026, 1, 30, 20, tzinfo=UTC), MIDNIGHT, str(MIDNIGHT)),
    ],
    ids=repr,
)
def test_a_day_is_its_first_moment_in_the_vendors_zone(value: Any) -> None:
    assert day("Bizdate", value) == MIDNIGHT
    assert fill({"Bizdate": "{Bizdate:day}"}, {"Bizdate": value}) == {"Bizdate": MIDNIGHT}


@pytest.mark.parametrize("value", ["", "yesterday", "2026-02-30", True, 1.5, None, [], "2026-01-31T25:00"], ids=repr)
def test_what_is_no_day_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArguments, match=r"Bizdate is .*; expected a day, such as 2026-01-31"):
        day("Bizdate", value)
