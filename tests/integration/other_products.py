"""Two products that neither the catalog nor the emulator knows, added to the emulator for a test.

Sources: the vendor's package alibabacloud-imm20200930, and the definitions of cdb 2017-03-20 that tccli ships.
"""

from __future__ import annotations

from typing import Any

import pytest

from airflow_cloudtasks.emulator.control import parsing
from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products import registry as actions
from airflow_cloudtasks.emulator.products.shared import starting
from airflow_cloudtasks.emulator.products.shared.answers import answer_task
from airflow_cloudtasks.emulator.vendor import alibaba, tencent
from airflow_cloudtasks.emulator.vendor.contract import Action, NotFound, Parameter, TaskShape

QUERY, JSON = ("query",), ("json",)


def _pack(call: Any) -> dict[str, Any]:
    return {"EventId": "1", "TaskId": starting.start(call, IMM_TASK, starting.new_uuid(), {}).id}


def _restart(call: Any) -> dict[str, Any]:
    return {"AsyncRequestId": starting.start(call, CDB_REQUEST, starting.new_uuid(), {}).id}


IMM_TASK = Action(
    api="imm.file_compression",
    cloud="alibaba",
    service="imm",
    version="2020-09-30",
    name="GetTask",
    parameters=tuple(Parameter(name, QUERY) for name in ("ProjectName", "TaskType", "TaskId")),
    answer=answer_task,
    not_found=NotFound("ResourceNotFound", "The task does not exist.", 404),
    task=TaskShape(
        task_at=(),
        id_at="TaskId",
        status_at="Status",
        unfinished=frozenset({"Running"}),
        script=(Step("Running", 1), Step("Succeeded")),
        example={"TaskId": "", "TaskType": "FileCompression", "Status": "Running", "Message": "", "ProjectName": ""},
    ),
)
IMM_START = Action(
    api="imm.file_compression_start",
    cloud="alibaba",
    service="imm",
    version="2020-09-30",
    name="CreateFileCompressionTask",
    parameters=tuple(Parameter(name, QUERY) for name in ("ProjectName", "Sources", "TargetURI")),
    answer=_pack,
)
CDB_REQUEST = Action(
    api="cdb.async_request",
    cloud="tencent",
    service="cdb",
    version="2017-03-20",
    name="DescribeAsyncRequestInfo",
    parameters=(Parameter("AsyncRequestId", JSON),),
    answer=answer_task,
    not_found=NotFound("ResourceNotFound", "The request does not exist.", 200),
    task=TaskShape(
        task_at=(),
        id_at="AsyncRequestId",
        asked_by="AsyncRequestId",
        status_at="Status",
        waiting=frozenset({"INITIAL"}),
        unfinished=frozenset({"INITIAL", "RUNNING"}),
        script=(Step("INITIAL", 1), Step("SUCCESS")),
        example={"AsyncRequestId": "", "Status": "INITIAL", "Info": ""},
    ),
    needs_region=True,
)
CDB_START = Action(
    api="cdb.async_request_start",
    cloud="tencent",
    service="cdb",
    version="2017-03-20",
    name="RestartDBInstances",
    parameters=(Parameter("InstanceIds", JSON, type="array"),),
    answer=_restart,
    needs_region=True,
)


def add_to_emulator(patch: pytest.MonkeyPatch) -> None:
    """Let the emulator answer for these products until the patch is undone."""
    for action in (IMM_TASK, IMM_START):
        patch.setitem(alibaba._RPC, (action.name, action.version), action)
        patch.setattr(alibaba, "_VERSIONS", alibaba._VERSIONS | {action.version})
    for action in (CDB_REQUEST, CDB_START):
        patch.setitem(tencent._ACTIONS, (action.service, action.version, action.name), action)
        patch.setattr(tencent, "_VERSIONS", tencent._VERSIONS | {(action.service, action.version)})
        patch.setattr(tencent, "_SERVICES", tencent._SERVICES | {action.service})
    for action in (IMM_TASK, CDB_REQUEST):
        patch.setitem(actions.ACTIONS_BY_API, action.api, action)
    for names in ("APIS", "TASK_APIS", "STARTED_APIS"):
        known = getattr(parsing, names)
        patch.setattr(parsing, names, (*known, *(a.api for a in (IMM_TASK, IMM_START, CDB_REQUEST, CDB_START))))
