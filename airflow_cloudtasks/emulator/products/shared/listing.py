"""Answers that show many tasks, page by page, the newest first.

Sources: the models of ``alibabacloud-bdrc20230808`` (DescribeTasks) and ``alibabacloud-ice20201109``
(ListWorkflowTasks) for parameters, bounds and fields. Neither documents the order of the tasks, nor the code that
refuses a bad parameter: InvalidParameter is what Alibaba Cloud's products commonly answer.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.scripts import position
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.answers import show_task
from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

_DEFAULT_SIZE = 10
_BDRC_SIZES = (10, 500)
_BDRC_STATUSES = ("CREATED", "RUNNING", "COMPLETE", "FAILED", "EXPIRED", "CANCELED")
_ICE_SIZES = (1, 100)
_ICE_KEY_TEXT_LENGTH = 32
# StartOfCreateTime and EndOfCreateTime: "querying data from the last 90 days only".
_ICE_REACH_SECONDS = 90 * 86_400
_ISO = "%Y-%m-%dT%H:%M:%SZ"
_NEVER = "9999-12-31T23:59:59Z"


def describe_tasks(call: Call) -> JsonObject:
    """Answer BDRC's DescribeTasks. Its last page has no NextToken.

    Args:
        call: The call.

    Returns:
        The answer, without RequestId.

    Raises:
        VendorError: A parameter is not valid.
    """
    given = _given(call)
    status, kind = given.get("TaskStatus"), given.get("TaskType")
    if status is not None and status not in _BDRC_STATUSES:
        raise _invalid("TaskStatus")
    lowest, highest = _BDRC_SIZES
    # Out of bounds is not refused here: too few means the default, which is the fewest, and too many the most.
    size = min(max(_whole_number("MaxResults", given.get("MaxResults")), lowest), highest)

    def wanted(task: JsonObject) -> bool:
        return status in (None, task["TaskStatus"]) and kind in (None, task["TaskType"])

    tasks, token = _page(call, "bdrc.task", size, wanted)
    return {"Data": {"Content": tasks, "MaxResults": size, **({"NextToken": token} if token else {})}}


def list_workflow_tasks(call: Call) -> JsonObject:
    """Answer ICE's ListWorkflowTasks. Its NextToken, which the SDK's model requires, is empty on the last page.

    Args:
        call: The call.

    Returns:
        The answer, without RequestId.

    Raises:
        VendorError: A parameter is not valid.
    """
    given = _given(call)
    size = _whole_number("MaxResults", given.get("MaxResults"))
    lowest, highest = _ICE_SIZES
    if not lowest <= size <= highest:
        raise _invalid("MaxResults")
    text = given.get("KeyText", "")
    if len(text) > _ICE_KEY_TEXT_LENGTH:
        raise _invalid("KeyText")
    reach = iso_utc(call.now - _ICE_REACH_SECONDS)
    # Texts of this format compare as the times they tell.
    start = max(reach, _iso_time("StartOfCreateTime", given.get("StartOfCreateTime", reach)))
    end = _iso_time("EndOfCreateTime", given.get("EndOfCreateTime", _NEVER))
    workflow = {
        name: given[parameter]
        for name, parameter in (("WorkflowId", "WorkflowId"), ("Name", "WorkflowName"))
        if parameter in given
    }

    def wanted(task: JsonObject) -> bool:
        # A test may have put anything into these fields, null included.
        return (
            start <= str(task["CreateTime"]) <= end
            and text in str(task["TaskInput"])
            and workflow.items() <= (task["Workflow"] or {}).items()
        )

    tasks, token = _page(call, "ice.workflow_task", size, wanted)
    return {"TaskList": tasks, "MaxResults": size, "NextToken": token}


def _page(call: Call, api: str, size: int, wanted: Callable[[JsonObject], bool]) -> tuple[list[JsonObject], str]:
    shape = call.action.task
    if shape is None:
        raise TypeError(f"{call.action.api} shows tasks: declare the shape of one")
    token = call.parameters.get("NextToken")
    shown: list[JsonObject] = []
    last = _read_token(api, token) if token else None
    for task in call.state.tasks.newest(api, last):
        where = position(task.script, task.created_at, call.now)
        entry = show_task(shape, task, where, {})
        if not wanted(entry):
            continue
        if len(shown) == size:
            return shown, _make_token(api, last)
        shown.append(entry)
        call.shows(task, where)
        last = task.number
    return shown, ""


def _make_token(api: str, last: int | None) -> str:
    # It names the last task shown, and not how many were: a task that is added or ends meanwhile moves nothing.
    return base64.urlsafe_b64encode(f"{api} {last}".encode()).decode()


def _read_token(api: str, token: str) -> int:
    try:
        last = int(base64.urlsafe_b64decode(token).decode().removeprefix(f"{api} "))
    except ValueError:
        raise _invalid("NextToken") from None
    if _make_token(api, last) != token:
        raise _invalid("NextToken")
    return last


def _given(call: Call) -> dict[str, Any]:
    return {name: value for name, value in call.parameters.items() if value}


def _whole_number(name: str, text: str | None) -> int:
    if text is None:
        return _DEFAULT_SIZE
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise _invalid(name)
    return int(text)


def _iso_time(name: str, text: str) -> str:
    try:
        return f"{datetime.strptime(text, _ISO).isoformat()}Z"
    except ValueError:
        raise _invalid(name) from None


def _invalid(name: str) -> VendorError:
    return VendorError("InvalidParameter", f"The specified parameter {name} is not valid.")
