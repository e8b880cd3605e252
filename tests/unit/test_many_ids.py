"""Several tasks by their ids in one request: what the request has, and which tasks can be read together."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, ManyIds, Service, TaskApi

API = TaskApi(
    name="toys.toy",
    service=Service(cloud="alibaba", name="toys", version="2026-01-31"),
    read=Action(name="GetToy", params=("ToyId",), params_in="query"),
    id_param="ToyId",
    states={"DONE": TaskState.SUCCEEDED},
    id="ToyId",
    read_many=ManyIds(
        action=Action(
            name="GetToys",
            params=("Ids", "ShopId", "Day"),
            optional=("Team",),
            params_in="query",
            template={"Ids": "{Ids:comma}", "Day": "{Day:integer}", "PageSize": 50},
        ),
        tasks="Toys",
        most=50,
    ),
)
KNOWN = {"ToyId": "7", "ShopId": "s1", "Day": 20260131}


@given(ids=st.lists(st.integers(min_value=0, max_value=2**63).map(str), min_size=1, max_size=50))
@pytest.mark.parametrize(
    ("values", "sent"),
    [
        ("{Ids}", list),
        ("{Ids:list}", list),
        ("{Ids:comma}", ",".join),
        ("{Ids:integers}", lambda ids: [int(each) for each in ids]),
    ],
)
def test_sends_every_id_in_the_form_that_the_vendor_takes(values: str, sent: Any, ids: list[str]) -> None:
    action = Action(name="GetToys", params=("Ids",), template={"Filters": [{"Values": values}], "Limit": 50})
    assert action.request({"Ids": ids}) == {"Filters": [{"Values": sent(ids)}], "Limit": 50}


@given(values=st.dictionaries(st.sampled_from(["ShopId", "Day", "Team", "Other"]), st.none() | st.sampled_from("ab")))
def test_tasks_are_read_together_if_and_only_if_all_that_the_action_needs_is_known(values: dict[str, Any]) -> None:
    shared = API.together_params({"ToyId": "7", **values})
    if values.get("ShopId") and values.get("Day"):
        assert shared == {name: values[name] for name in ("ShopId", "Day", "Team") if values.get(name)}
    else:
        assert shared is None


def test_an_api_that_reads_one_task_at_a_time_reads_none_together() -> None:
    assert dataclasses.replace(API, read_many=None).together_params(KNOWN) is None


def test_takes_what_reading_together_needs_as_options_that_identify_no_task() -> None:
    API.check_params({})
    API.check_params({"ShopId": "s1", "Day": 20260131, "Team": None})
    assert API.carried_params == ("ShopId", "Day", "Team")
    assert API.parameters("7", KNOWN) == {"ToyId": "7"}


def test_refuses_a_shared_parameter_that_is_no_whole_number() -> None:
    with pytest.raises(InvalidArguments, match="Day is 'Monday'; expected a whole number"):
        API.check_params({"ShopId": "s1", "Day": "Monday"})
