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
    "bdrc.task": ("Data", "TaskStatus"),
    "bpstudio.operation": ("Data", "Status"),
    "bpstudio.task": ("Data", "Status"),
    "ice.ai_workflow_task": ("WorkflowTask", "Status"),
    "ice.workflow_task": ("WorkflowTask", "Status"),
    "lke.task": ("", "Status"),
    "wedata.async_job": ("Data", "Status"),
    "wedata.backfill": ("Data", "CompletePercent"),
    "wedata.newest_workflow_run": ("Data.Items", "ExecutionState"),
    "wedata.sql_run": ("Data", "Status"),
    "wedata.task": ("Data", "TaskBaseAttribute.Status"),
    "wedata.task_instance": ("Data", "InstanceState"),
    "wedata.task_run": ("Data", "ExecutionState"),
    "wedata.workflow_run": ("Data.TriggerWorkflowRun", "ExecutionState"),
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
    if api.partition(".")[0] in ("wedata", "lke"):
        content = decoded.get("Response") if isinstance(decoded, dict) else None
    return content if isinstance(content, dict) else {}


def path(data: Any, dotted: str) -> Any:
    """Return what is at a path; None for nothing."""
    for key in filter(None, dotted.split(".")):
        data = data.get(key) if isinstance(data, dict) else None
    return data


def state_of(api: str, task: Any) -> str:
    """Return the state of a task object."""
    if api == "wedata.backfill":
        return _state_of_percentages(task)
    status = path(task, PLACES[api][1])
    if not isinstance(status, str) or not status.isascii():
        return "unknown"
    state = statuses(api).get(status.strip(_ASCII_BLANKS).lower(), "unknown")
    if api == "bpstudio.task" and state == "succeeded":
        # Its only sign of a failure.
        error = task.get("ErrorMessage")
        return "failed" if (error.strip() if isinstance(error, str) else error) else "succeeded"
    return state


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
