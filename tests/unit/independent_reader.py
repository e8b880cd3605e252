"""What an answer says, read without any code of the package: for judging what the package makes of hostile answers.

Where things are comes from the table below, written by hand from the vendors' documentation; what a status means comes
from ``tests/examples/<api>/statuses.json``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent.parent / "examples"

# The path of the task object, and that of the status in it.
PLACES = {
    "adb.spark_app": ("Data", "State"),
    "adb.spark_batch_sql": ("Data", "QueryState"),
    "ai3d.job": ("", "Status"),
    "asr.recording": ("Data", "StatusStr"),
    "asw.execution": ("", "Status"),
    "batch.job": ("", "JobState"),
    "bdrc.task": ("Data", "TaskStatus"),
    "bpstudio.operation": ("Data", "Status"),
    "bpstudio.task": ("Data", "Status"),
    "cdb.async_request": ("", "Status"),
    "ckafka.flow": ("Result", "Status"),
    "cls.export": ("Exports", "Status"),
    "cls.rebuild_index": ("RebuildTasks.0", "Status"),
    "cynosdb.flow": ("", "Status"),
    "dataworks.data_quality_run": ("DataQualityScanRun", "Status"),
    "dataworks.di_job": ("PagingInfo", "JobStatus"),
    "dataworks.operation": ("Result", "Status"),
    "dataworks.scheduled_instance": ("PagingInfo.TaskInstances.0", "Status"),
    "dataworks.task_instance": ("TaskInstance", "Status"),
    "dataworks.workflow_instance": ("WorkflowInstance", "Status"),
    "dcdb.flow": ("", "Status"),
    "dlc.notebook_statement": ("NotebookSessionStatement", "State"),
    "dlc.spark_batch_sql": ("", "State"),
    "dlc.task": ("TaskList.0", "State"),
    "dts.compare_task": ("Items.0", "Status"),
    "dts.job": ("", "Status"),
    "dts.migrate_job": ("JobList.0", "Status"),
    "dts.sync_job": ("JobList.0", "Status"),
    "ehpc_instant.job": ("JobInfo", "Status"),
    "emr.cluster": ("Cluster", "ClusterState"),
    "emr.cluster_flow": ("", "FlowTotalStatus"),
    "emr.job_flow": ("", "State"),
    "emr.operation": ("Operation", "OperationState"),
    "emr_serverless_spark.job_run": ("jobRun", "state"),
    "emr_serverless_spark.ray_job": ("", "status"),
    "fc.async_task": ("", "status"),
    "fnf.execution": ("", "Status"),
    "hunyuan.image_job": ("", "JobStatusCode"),
    "ice.ai_workflow_task": ("WorkflowTask", "Status"),
    "ice.iproduction_job": ("", "Status"),
    "ice.media_convert_job": ("Job", "State"),
    "ice.media_producing_job": ("MediaProducingJob", "Status"),
    "ice.video_cognition_job": ("", "JobStatus"),
    "ice.workflow_task": ("WorkflowTask", "Status"),
    "imm.task": ("", "Status"),
    "lke.task": ("", "Status"),
    "lkeap.document_parse": ("", "Status"),
    "lkeap.document_split": ("", "Status"),
    "mariadb.flow": ("", "Status"),
    "mongodb.async_request": ("", "Status"),
    "mps.task": ("", "Status"),
    "mts.transcode_job": ("JobList.Job.0", "State"),
    "oceanus.job": ("JobSet.0", "Status"),
    "oos.execution": ("Executions.0", "Status"),
    "pai_dlc.job": ("", "Status"),
    "postgres.task": ("TaskSet.0", "Status"),
    "redis.task": ("", "Status"),
    "ros.stack": ("", "Status"),
    "scf.async_event": ("Result", "Status"),
    "sqlserver.flow": ("", "Status"),
    "tat.invocation": ("InvocationSet.0", "InvocationStatus"),
    "tingwu.task": ("Data", "TaskStatus"),
    "tione.training_task": ("TrainingTaskDetail", "Status"),
    "vclm.job": ("", "Status"),
    "ververica.job": ("data", "status.currentJobStatus"),
    "ververica.savepoint": ("data", "status.state"),
    "vod.task": ("", "Status"),
    "vpc.task": ("", "Status"),
    "wedata.async_job": ("Data", "Status"),
    "wedata.backfill": ("Data", "CompletePercent"),
    "wedata.newest_workflow_run": ("Data.Items", "ExecutionState"),
    "wedata.sql_run": ("Data", "Status"),
    "wedata.task": ("Data", "TaskBaseAttribute.Status"),
    "wedata.task_instance": ("Data", "InstanceState"),
    "wedata.task_run": ("Data", "ExecutionState"),
    "wedata.workflow_run": ("Data.TriggerWorkflowRun", "ExecutionState"),
}
_ALIBABA = {
    *("adb", "bdrc", "bpstudio", "dataworks", "emr_serverless_spark", "fnf", "ice", "imm", "oos", "pai_dlc", "ros"),
    *("ehpc_instant", "fc", "mts", "tingwu", "ververica"),
    *("dts.job", "emr.cluster", "emr.operation"),
}
# APIs without an action that reads one task: the field of the id in a list, and the id in the example.
LISTED = {"cls.export": ("ExportId", "export-57196a6a-7622-47be-bc92-d2ebea959a0f")}
# APIs of jobs that can be started again, with the fields of the newest start and of the newest end.
_RESTARTED = {
    "dts.compare_task": ("StartedAt", "FinishedAt"),
    "dts.job": ("BootTime", "FinishTime"),
    "dts.migrate_job": ("StartTime", "EndTime"),
    "dts.sync_job": ("StartTime", "EndTime"),
    "oceanus.job": ("StartTime", "UpdateTime"),
}
ENDS = ("succeeded", "failed", "canceled", "expired", "skipped")
_ASCII_BLANKS = " \t\n\r\x0b\x0c"


def statuses(api: str) -> dict[str, str]:
    """Return what each documented status means, by the status in lower case."""
    written = json.loads((EXAMPLES / api / "statuses.json").read_bytes())
    return {word.lower(): state for word, state in written.items()}


def strictly(body: bytes) -> Any:
    """Return the decoded body if it is valid JSON in UTF-8; None for anything else."""
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def content_of(api: str, decoded: Any) -> dict[str, Any]:
    """Return an answer without its envelope; an empty object for none."""
    content = decoded
    if not {api, api.partition(".")[0]} & _ALIBABA:
        content = decoded.get("Response") if isinstance(decoded, dict) else None
    return content if isinstance(content, dict) else {}


def path(data: Any, dotted: str) -> Any:
    """Return what is at a path; None for nothing."""
    for key in filter(None, dotted.split(".")):
        if isinstance(data, list) and key.isdecimal():
            data = data[int(key)] if int(key) < len(data) else None
        else:
            data = data.get(key) if isinstance(data, dict) else None
    return data


def state_of(api: str, task: Any) -> str:
    """Return the state of a task object."""
    if api == "wedata.backfill":
        return _state_of_percentages(task)
    status = path(task, PLACES[api][1])
    if isinstance(status, int | float) and not isinstance(status, bool):
        status = str(status)
    if not isinstance(status, str) or not status.isascii():
        return "unknown"
    state = statuses(api).get(status.strip(_ASCII_BLANKS).lower(), "unknown")
    return "failed" if state == "succeeded" and _shows_failure(api, task) else state


def states_of(api: str, task: Any) -> set[str]:
    """Return the states that a task object may have.

    The end of a job that can be started again is none if it is older than the newest start. Times have many forms, and
    none of them is read here: either is accepted if both times are there.
    """
    state = state_of(api, task)
    if api in _RESTARTED and state in ENDS and all(path(task, field) is not None for field in _RESTARTED[api]):
        return {state, "running"}
    return {state}


def _shows_failure(api: str, task: Any) -> bool:
    """Return whether a task object with the status of a success shows a failure all the same."""
    match api:
        case "bpstudio.task":  # its only sign of a failure
            return _has_content(task.get("ErrorMessage"))
        case "dlc.notebook_statement":
            return _is_word(path(task, "OutPut.Status"), "error")
        case "dts.compare_task":
            return _is_word(task.get("Conclusion"), "different")
        case "emr.job_flow":
            return any(_is_word(path(each, "JobState"), "JobFlowStepStatusFailed") for each in _items(task, "Details"))
        case "mps.task" | "vod.task":
            # FINISH says that a task has ended. The objects in it, and those of its parts, say how.
            parts = list(task.values())
            if any(_has_content(path(part, "ErrCode")) for part in parts):
                return True
            for _ in range(4):
                parts = [each for part in parts for each in _items(part)]
                if any(_is_word(path(part, "Status"), "FAIL") for part in parts):
                    return True
    return False


def _items(holder: Any, name: str = "") -> list[Any]:
    """Return the values in an object or a list."""
    held = path(holder, name)
    if isinstance(held, dict):
        return list(held.values())
    return held if isinstance(held, list) else []


def _has_content(value: Any) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def _is_word(value: Any, word: str) -> bool:
    return isinstance(value, str) and value.isascii() and value.strip(_ASCII_BLANKS).lower() == word.lower()


def _state_of_percentages(task: Any) -> str:
    complete, succeeded = _number(task.get("CompletePercent")), _number(task.get("SuccessPercent"))
    if complete is None or (complete >= 100 and (succeeded is None or not 0 <= succeeded <= 100)):
        return "unknown"
    if complete < 100:
        return "running"
    return "succeeded" if succeeded == 100 else "failed"


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str) and not re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value, re.ASCII):
        return None
    try:
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return number if abs(number) != float("inf") and number == number else None


def task_in(api: str, content: Any) -> Any:
    """Return the task object of an answer; None for none."""
    found = path(content, PLACES[api][0])
    if api in LISTED:
        field, task_id = LISTED[api]
        return next((task for task in _items(found) if str(path(task, field)).strip(_ASCII_BLANKS) == task_id), None)
    if api != "wedata.newest_workflow_run":
        return found
    if not isinstance(found, list):
        return None
    ended = [task for task in found if isinstance(task, dict) and state_of(api, task) in ENDS]
    return next(iter([*ended, *found]), None)


def may_have_succeeded(api: str, body: bytes) -> bool:
    """Return whether bytes that are no valid JSON hold a successful status anywhere, spelled without any damage."""
    words = "|".join(re.escape(word) for word, state in statuses(api).items() if state in ("succeeded", "skipped"))
    field = PLACES[api][1].rpartition(".")[2]
    if api == "wedata.backfill":
        words, field = r"[\d.e+]+", "SuccessPercent"
    pattern = rf'"{field}"\s*:\s*"?(\s|\\[ntrfv])*({words})(\s|\\[ntrfv])*"?\s*[,}}]'
    for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-32"):
        if re.search(pattern, body.decode(encoding, "replace"), re.IGNORECASE | re.ASCII):
            return True
    return False


def says_error(content: dict[str, Any]) -> bool:
    """Return whether an answer holds anything that may be the report of an error."""
    names = {"error", "code", "errorcode", "success"}
    fields = {key.lower(): value for key, value in content.items() if key.lower() in names}
    if fields.get("success") is True:
        del fields["success"]
    return any(value is not None and str(value) != "200" for value in fields.values())
