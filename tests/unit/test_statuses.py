"""What each vendor's statuses mean, and how one wait may see them otherwise."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from api_examples import facts

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.values import text

PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED, EXPIRED, SKIPPED, UNKNOWN = TaskState

DOCUMENTED = facts("statuses.json")
# A backfill's words are made of percentages, see test_percentages.py; all others stand in the answer.
WORDED = [name for name, api in APIS.items() if isinstance(api.status, str)]
NO_STATUS = object()


def read(api_name: str, status: Any, overrides: StatusOverrides | None = None, **others: Any) -> CloudTask:
    """Normalise the smallest answer of an API with this status in it."""
    api = APIS[api_name]
    assert isinstance(api.status, str)
    task = others if status is NO_STATUS else others | _nested(api.status, status)
    return normalise(
        api, _nested(api.task, task), parameters={api.id_param: "t"}, overrides=overrides or StatusOverrides()
    )


def _nested(path: str, value: Any) -> Any:
    for key in reversed(path.split(".") if path else []):
        value = {key: value}
    return value


each_api = pytest.mark.parametrize("api", WORDED)


@pytest.mark.parametrize("api", DOCUMENTED)
def test_the_catalog_has_the_statuses_that_the_vendor_documents(api: str) -> None:
    assert APIS[api].states == DOCUMENTED[api]


@each_api
def test_a_status_means_its_state_with_blanks_around_it(api: str) -> None:
    for status, state in APIS[api].states.items():
        for spelling in ("{}", "{} ", " {}", "{}\n", "\t{}\r\n"):
            task = read(api, spelling.format(status))
            assert (task.state, task.status) == (state, status)


@each_api
def test_a_status_means_its_state_in_any_case(api: str) -> None:
    for status, state in APIS[api].states.items():
        for case in (str.lower, str.upper, str.title, str.swapcase):
            task = read(api, case(status))
            assert (task.state, task.status) == (state, case(status))


# Characters that are easily lost or overlooked: control characters, blanks without width, marks of byte order.
STRAY = "\x00\x01\x1b\x1f\x7f\x85\xa0\xad\u200b\u200d\u2028\u2060\u3000\ufeff\ud800"


@each_api
def test_a_status_with_a_stray_character_is_another_status(api: str) -> None:
    for status in APIS[api].states:
        for stray, place in itertools.product(STRAY, range(len(status) + 1)):
            task = read(api, status[:place] + stray + status[place:])
            assert (task.state, task.done, task.ok) == (UNKNOWN, False, False)
            assert task.status is not None
            assert len(task.status) == len(status) + 1
            json.dumps(task.as_dict()).encode()
            assert stray not in str(task)


@each_api
def test_a_blank_within_a_status_makes_another_status(api: str) -> None:
    for status in APIS[api].states:
        for place in range(1, len(status)):
            assert read(api, f"{status[:place]} {status[place:]}").state is UNKNOWN


@pytest.mark.parametrize(
    "status", ["\u017fUCCESS", "SUCCE\u017fS", "\uff33UCCESS", "\uff33\uff35\uff23\uff23\uff25\uff33\uff33"]
)
def test_letters_that_unicode_folds_to_others_make_another_status(status: str) -> None:
    for api in ("wedata.workflow_run", "lke.task", "bpstudio.operation"):
        task = read(api, status)
        assert (task.state, task.status) == (UNKNOWN, status)
        overrides = StatusOverrides(success=["success"])
        assert read(api, status, overrides).state is UNKNOWN


NO_WORDS = [NO_STATUS, None, "", " ", "\n", "\x00", 0, 1, 200, -1, 1.0, float("nan"), 10**400, True, False]


@each_api
def test_a_status_that_is_no_word_is_unknown(api: str) -> None:
    # Some APIs have numbers for words.
    for status in (each for each in NO_WORDS if text(each) not in APIS[api].states):
        task = read(api, status)
        assert (task.state, task.done, task.ok) == (UNKNOWN, False, False), status


@each_api
def test_a_word_that_the_catalog_does_not_know_is_unknown_and_told_as_it_is(api: str) -> None:
    words = {"DONE", "SUCCEEDED", "FINISHED", "COMPLETED", "OK", "成功", "SUCCESS!", "YES"}
    for status in words - {*map(str.upper, APIS[api].states)}:
        task = read(api, status)
        assert (task.state, task.status) == (UNKNOWN, status)


@pytest.mark.parametrize(
    ("state", "done", "ok"),
    [
        (PENDING, False, False),
        (RUNNING, False, False),
        (SUCCEEDED, True, True),
        (FAILED, True, False),
        (CANCELED, True, False),
        (EXPIRED, True, False),
        (SKIPPED, True, True),
        (UNKNOWN, False, False),
    ],
)
def test_which_states_end_a_task_and_which_end_it_well(state: TaskState, done: bool, ok: bool) -> None:
    assert (state.done, state.ok) == (done, ok)


@pytest.mark.parametrize("message", ["SyntaxError", " x ", 0.5, 7, ["SyntaxError"], {"Code": "SyntaxError"}, True])
def test_bpstudios_finish_with_an_error_message_is_a_failure(message: Any) -> None:
    assert read("bpstudio.task", "FINISH ", ErrorMessage=message).state is FAILED


@pytest.mark.parametrize("others", [{}, *({"ErrorMessage": blank} for blank in (None, "", " ", "\n", [], {}, False))])
def test_bpstudios_finish_without_an_error_message_is_a_success(others: dict[str, Any]) -> None:
    assert read("bpstudio.task", "FINISH ", **others).state is SUCCEEDED


def test_bpstudios_error_message_does_not_end_a_task_that_still_runs() -> None:
    assert read("bpstudio.task", "BINDING", ErrorMessage="SyntaxError").state is RUNNING


def test_success_statuses_turn_the_error_message_rule_off() -> None:
    task = read("bpstudio.task", "FINISH ", StatusOverrides(success=["finish"]), ErrorMessage="SyntaxError")
    assert task.state is SUCCEEDED
    assert task.message == "SyntaxError"


def test_failure_statuses_need_no_error_message() -> None:
    assert read("bpstudio.task", "FINISH ", StatusOverrides(failure=["FINISH"])).state is FAILED


@each_api
def test_overrides_come_before_the_catalog(api: str) -> None:
    for status, state in APIS[api].states.items():
        assert read(api, status, StatusOverrides(success=[f" {status.lower()}\n"])).state is SUCCEEDED
        assert read(api, status, StatusOverrides(failure=[f" {status.upper()}\n"])).state is FAILED
        assert read(api, status, StatusOverrides(success=["another"], failure=["still another"])).state is state


def test_an_override_teaches_a_status_that_the_catalog_does_not_know() -> None:
    assert read("lke.task", "ARCHIVED", StatusOverrides(success=["ARCHIVED"])).state is SUCCEEDED


@pytest.mark.parametrize("status", [NO_STATUS, None, "", " "])
def test_no_override_turns_a_missing_status_into_a_success(status: Any) -> None:
    assert read("lke.task", status, StatusOverrides(success=["", " ", "None", "null"])).state is UNKNOWN


def test_a_status_cannot_be_both_a_success_and_a_failure() -> None:
    with pytest.raises(ValueError, match=r"success_statuses and failure_statuses both hold \['done'\]"):
        StatusOverrides(success=["Done", "ok"], failure=["DONE ", "bad"])


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"success": "DONE"}, "success_statuses is 'DONE'; expected a list of statuses"),
        ({"failure": "DONE"}, "failure_statuses is 'DONE'; expected a list of statuses"),
        ({"success": [200]}, r"success_statuses is \[200\]; expected a list of statuses"),
    ],
)
def test_overrides_that_are_no_list_of_words_are_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        StatusOverrides(**given)
