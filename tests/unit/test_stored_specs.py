"""Specs, events and the progress of starts that version 0.1.0 stored are still read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.errors import InvalidArguments, InvalidConnection, MalformedAnswer, PermissionDenied
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.starting.attempt import Attempt
from airflow_cloudtasks.waiting.outcome import as_event, from_event
from airflow_cloudtasks.waiting.verdicts import Broken, Finished, Waiting

from .stored_rows import CUSTOM_API, is_kept, stored, with_current_names

SPECS, EVENTS, ATTEMPTS = stored("specs"), stored("events"), stored("attempts")
START_EVENTS = stored("start_events")


def test_rebuilds_the_custom_spec_with_every_part() -> None:
    assert find_api(SPECS["mine.toy"]) == CUSTOM_API


@pytest.mark.parametrize("name", SPECS)
def test_a_rebuilt_spec_holds_all_that_was_stored(name: str) -> None:
    rebuilt = json.loads(json.dumps(TaskApi.from_dict(SPECS[name]).as_dict()))
    assert is_kept(with_current_names(SPECS[name]), rebuilt)


KINDS: dict[str, list[type]] = {
    "a task that succeeded": [Finished],
    "a task that failed": [Finished],
    "a list": [Finished, Waiting, Waiting, Broken],
    "an error": [Broken],
    "a malformed answer": [Broken],
    "a timeout after an error": [Waiting],
    "an invalid connection": [Broken],
    "invalid arguments": [Broken],
}


@pytest.mark.parametrize("name", EVENTS)
def test_reads_the_verdicts_of_a_stored_event(name: str) -> None:
    verdicts = from_event(EVENTS[name])
    assert [type(verdict) for verdict in verdicts] == KINDS[name]
    assert is_kept(EVENTS[name], as_event(verdicts, many="tasks" in EVENTS[name]))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("an error", PermissionDenied),
        ("a malformed answer", MalformedAnswer),
        ("an invalid connection", InvalidConnection),
        ("invalid arguments", InvalidArguments),
    ],
)
def test_rebuilds_the_error_of_a_stored_event(name: str, kind: type[Exception]) -> None:
    [verdict] = from_event(EVENTS[name])
    assert isinstance(verdict, Broken)
    assert type(verdict.error) is kind


@pytest.mark.parametrize("progress", ATTEMPTS)
def test_reads_a_stored_attempt_whose_progress_was_called_stage(progress: str) -> None:
    row: dict[str, Any] = ATTEMPTS[progress]
    attempt = Attempt.from_dict(row)
    assert (attempt.progress, attempt.run, attempt.token) == (progress, row["run"], row["token"])
    assert (attempt.sent_at, attempt.ids, attempt.job) == (row["sent_at"], tuple(row["ids"]), row["job"])
    assert attempt.asked.digest == row["asked"]
    assert Attempt.from_dict(attempt.as_dict()) == attempt


@pytest.mark.parametrize("name", START_EVENTS)
def test_reads_the_attempt_that_a_stored_event_carries(name: str) -> None:
    attempt = Attempt.from_dict(START_EVENTS[name]["carried"]["attempt"])
    assert (attempt.progress, attempt.ids) == ("begun", ("e-1",))
