"""A task is one line in a log and plain JSON in XCom."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from airflow_cloudtasks.model import CloudTask, TaskState

WHOLE = CloudTask(
    api="bdrc.task",
    cloud="alibaba",
    id="t-1",
    name="backup",
    state=TaskState.RUNNING,
    status="RUNNING",
    progress=0.256,
    message="copying",
    created_at=datetime(2025, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))),
    started_at=datetime(2025, 1, 1, 0, 0, 1, 250_000, tzinfo=UTC),
    request_id="r-1",
    console_url="https://c.test/t-1",
    detail={"TaskId": "t-1"},
)
BARE = CloudTask(api="lke.task", cloud="tencent", id="8", state=TaskState.UNKNOWN)


@pytest.mark.parametrize(
    ("task", "line"),
    [
        (WHOLE, "bdrc.task t-1 (backup) is running [RUNNING] 26% - copying"),
        (BARE, "lke.task 8 is unknown"),
    ],
)
def test_str_is_one_line_of_the_known_fields(task: CloudTask, line: str) -> None:
    assert str(task) == line


def test_as_dict_holds_utc_times_and_plain_json_types() -> None:
    stored = WHOLE.as_dict()
    assert (stored["created_at"], stored["started_at"], stored["finished_at"]) == (
        "2025-01-01T00:00:00Z",
        "2025-01-01T00:00:01.250000Z",
        None,
    )
    assert (stored["state"], stored["done"], stored["ok"]) == ("running", False, False)
    assert type(stored["state"]) is str


@pytest.mark.parametrize("task", [WHOLE, BARE], ids=["whole", "bare"])
def test_a_task_survives_json_and_pickle(task: CloudTask) -> None:
    assert CloudTask.from_dict(json.loads(json.dumps(task.as_dict()))) == task
    assert pickle.loads(pickle.dumps(task)) == copy.deepcopy(task) == task


def test_refuses_a_dict_that_lacks_a_field() -> None:
    with pytest.raises(KeyError, match="detail"):
        CloudTask.from_dict({key: value for key, value in WHOLE.as_dict().items() if key != "detail"})


def test_a_task_is_immutable() -> None:
    with pytest.raises(AttributeError):
        WHOLE.state = TaskState.SUCCEEDED  # type: ignore[misc]
