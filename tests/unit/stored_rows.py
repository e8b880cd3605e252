"""What version 0.1.0 stored: in triggers, in their events, and as the progress of a start.

The files are in ``stored_0_1_0``, one row a line, as 0.1.0 wrote them on Airflow 2.11 and 3.3. They stand for rows in
the databases of users, so they never change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import (
    Action,
    Cancel,
    Find,
    Log,
    Parts,
    Percentages,
    Service,
    Start,
    TaskApi,
    TaskList,
)

_TOYS = TaskList(
    action=Action(name="ListToys", params=("ProjectId",), template={"OrderBy": "CreateTime"}),
    tasks="Data.Items",
    page_size_param="PageSize",
    page_size=100,
    page_param="PageNumber",
    page_count="Data.Pages",
    complete=False,
)

CUSTOM_API = TaskApi(
    name="mine.toy",
    service=Service(
        cloud="tencent",
        name="toy",
        version="2020-01-01",
        title="Toy",
        regions=("ap-guangzhou",),
        time_format="%Y-%m-%d %H:%M:%S",
    ),
    read=Action(name="GetToy", params=("ProjectId", "ToyId"), optional=("TimeZone",), requests_per_second=5.0),
    id_param="ToyId",
    task="Data",
    status=Percentages(complete="Complete", succeeded="Success"),
    states={
        "incomplete": TaskState.RUNNING,
        "complete": TaskState.SUCCEEDED,
        "complete with failures": TaskState.FAILED,
    },
    id="ToyId",
    task_name="Name",
    message="Reason",
    progress="Complete",
    progress_whole=100,
    created_at="CreateTime",
    json_fields=("Config",),
    console_url="https://console.test/{region}/{ProjectId}/{id}",
    list_tasks=_TOYS,
    starts=(
        Start(
            action=Action(name="MakeToy", params=("ProjectId", "Colour"), optional=("Config", "Token", "Note")),
            id="Data.ToyId",
            encodings={"Config": "json", "Config.Day": "dates"},
            then=Action(name="StartToy", params=("ToyId",)),
            client_token="Token",
            mark="Note",
            mark_bytes=256,
            find=Find(
                tasks=_TOYS,
                id="ToyId",
                created_at="CreateTime",
                shows={"Paint": "Colour"},
                fields={"Kind": "toy"},
                newest_first=True,
            ),
        ),
        Start(
            action=Action(name="RestartToys", params=("ProjectId", "ToyIds"), optional=("Ranges",)),
            ids_param="ToyIds",
            job="Data.JobId",
            job_api="wedata.async_job",
            names={"TimeZone": "UTC"},
            encodings={"ToyIds": "list", "Ranges": "ranges"},
            key_and_value=("Key", "Value"),
            first_and_last=("From", "To"),
        ),
    ),
    cancel=Cancel(
        action=Action(name="StopToys", params=("ProjectId", "ToyIds", "Kind")),
        id_param="ToyIds",
        many=True,
        found={"Kind": "Kind"},
        items="Data",
        ok="Stopped",
        why_not="Reason",
        removes=True,
    ),
    parts=Parts(
        listed=TaskList(
            action=Action(name="ListParts", params=("ProjectId", "PartKind")),
            tasks="Data.Items",
            page_size_param="PageSize",
            page_size=100,
            page_param="PageToken",
            next_page="Data.Next",
        ),
        status="State",
        failed=("FAILED", "EXPIRED"),
        name=("Name", "PartId"),
        id="PartId",
        message=("Reason",),
        found={"PartKind": "Kind"},
        fan_out=("PartId", "PartIds"),
        log=Log(
            action=Action(name="GetPartLog", params=("ProjectId", "PartKey")),
            params={"ProjectId": "{ProjectId}", "PartKey": "{PartId}_{Day}"},
            text="Data.Log",
            cursor="Data.Next",
            cursor_param="Cursor",
            line_end="<br>",
        ),
    ),
)
"""The spec that 0.1.0 stored whole as ``mine.toy``. It uses every part that a spec could have."""


def stored(name: str) -> dict[str, Any]:
    """Return the rows of a file by their names."""
    rows: dict[str, Any] = json.loads((Path(__file__).parent / "stored_0_1_0" / f"{name}.json").read_bytes())
    return rows


def with_current_names(value: Any) -> Any:
    """Return a stored value with the names that fields have now, and lists for tuples."""
    if isinstance(value, Mapping):
        value = _with_failures(_with_template(value))
        renamed = {"each": "fan_out"} if "failed" in value and "each" in value else {}
        return {renamed.get(name, name): with_current_names(item) for name, item in value.items()}
    return [with_current_names(item) for item in value] if isinstance(value, list | tuple) else value


def _with_failures(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a spec with the failures that have replaced its field of an error since 0.3.0."""
    if "error_if" not in value:
        return value
    rest = {name: item for name, item in value.items() if name != "error_if"}
    path = value["error_if"]
    return {**rest, "failures": [] if path is None else [{"path": path, "values": []}]}


def _with_template(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an action or a list with the template that has replaced its constants and filters since 0.3.0."""
    constants = value.get("constants", {})
    rest = {name: item for name, item in value.items() if name not in ("constants", "filters")}
    if constants and "action" in value:
        rest["action"] = {**rest["action"], "template": constants}
    return rest


def is_kept(before: Any, after: Any) -> bool:
    """Return whether a value holds all that it held before; a later version may have added members of objects."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return all(name in after and is_kept(value, after[name]) for name, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(is_kept, before, after))
    return bool(before == after)
