"""A recorded answer tells nothing about its owner, and still means the same."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from api_examples import EXAMPLES, Example
from hypothesis import given
from hypothesis import strategies as st

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.doctor.anonymous import Anonymous
from airflow_cloudtasks.protocol.normalise import normalise

FAILED_RUN = APIS["ice.workflow_task"]
KEPT = ("state", "status", "done", "ok", "progress", "created_at", "started_at", "finished_at")


def anonymised(example: Example) -> dict[str, Any]:
    anonymous = Anonymous(example.api)
    parameters = anonymous.parameters(example.parameters)
    answer = anonymous.answer(example.content)
    return normalise(example.api, answer, parameters=parameters, region="ap-guangzhou").as_dict()


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_answer_means_the_same_task_afterwards(example: Example) -> None:
    task = anonymised(example)
    assert {name: task[name] for name in KEPT} == {name: example.task[name] for name in KEPT}
    for name in ("name", "message"):
        assert bool(task[name]) is bool(example.task[name])


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_no_id_and_no_name_of_an_answer_is_left(example: Example) -> None:
    written = json.dumps(Anonymous(example.api).answer(example.content))
    # Statuses stay, also where a message is one.
    private = {example.task["id"], example.task["name"], example.task["message"]} - {None, *example.api.states}
    # A number of one digit stands in every time.
    assert [word for word in private if len(word) > 1 and word in written] == []
    assert example.task["request_id"] is None or example.task["request_id"] not in written


PRIVATE = {
    "WorkflowTask": {
        "TaskId": "4215e042b3966ca5441e",
        "Status": "NewStatus",
        "CreateTime": "2023-01-04T02:05:17Z",
        "Owner": "Alice Meyer <alice@example.org>",
        "Phone": "+49 170 1234567",
        "Server": "10.1.2.3",
        "Count": 12,
        "AccountId": 1234567890123456,
        "Account": 1250000000.0,
        "Keys": {"LTAI5tExampleKey0123": "enabled"},
        "Token": "AKIDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA",
        "UserData": '{"customer": "ACME", "order": 4711, "Status": "Failed", "TaskId": "4215e042b3966ca5441e"}',
        "Message": "4215e042b3966ca5441e failed for ACME at 2023-01-04 02:06:00, see https://acme.example/q?id=4711",
    }
}


def test_texts_names_addresses_numbers_and_secrets_are_replaced() -> None:
    written = json.dumps(Anonymous(FAILED_RUN).answer(PRIVATE))
    for private in (
        *("4215e042b3966ca5441e", "Alice", "Meyer", "example", "170", "1234567", "10.1.2.3", "1234567890123456"),
        *("AKIDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA", "ACME", "acme", "customer", "4711", "failed for"),
        *("1250000000", "LTAI5tExampleKey0123"),
    ):
        assert private not in written, private


def test_what_decides_on_the_state_is_kept() -> None:
    task = Anonymous(FAILED_RUN).answer(PRIVATE)["WorkflowTask"]
    assert (task["Status"], task["CreateTime"], task["Count"]) == ("NewStatus", "2023-01-04T02:05:17Z", 12)
    assert json.loads(task["UserData"])["Status"] == "Failed"


def test_the_same_value_has_the_same_replacement_everywhere() -> None:
    anonymous = Anonymous(FAILED_RUN)
    task = anonymous.answer(PRIVATE)["WorkflowTask"]
    replaced = task["TaskId"]
    assert task["Message"].startswith(f"{replaced} ")
    assert json.loads(task["UserData"])["TaskId"] == replaced
    assert anonymous.parameters({"TaskId": "4215e042b3966ca5441e"}) == {"TaskId": replaced}
    assert anonymous.text("4215e042b3966ca5441e") == replaced


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_any_answer_can_be_replaced(answer: Any) -> None:
    json.dumps(Anonymous(FAILED_RUN).answer(answer))


@given(st.lists(st.from_regex(re.compile(r"[A-Za-z0-9]{5,20}", re.ASCII), fullmatch=True), unique=True, min_size=2))
def test_different_values_have_different_replacements(values: list[str]) -> None:
    anonymous = Anonymous(FAILED_RUN)
    replaced = [anonymous.text(value) for value in values]
    assert len(set(replaced)) == len(values)
