"""Every way that a wait can go, as data: for the DAGs of waits.py, and for the test that runs them.

``STATUS_CASES`` are the waits on each status of five APIs, ``CASES`` all other ways.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MODES = ("poke", "reschedule", "deferrable")

PARAMS = {
    "wedata.task": {"ProjectId": "2417334454903762944"},
    "lke.task": {"TaskType": "ExportAttributeLabel", "BotBizId": "1767024172536168448"},
}

# API-FACTS of each API: the vendor's status, and the state that it means.
STATUSES: dict[str, dict[str | None, str]] = {
    "bpstudio.task": {"FINISH": "succeeded", "FINISH ": "succeeded", "BINDING": "running", "DEPLOYING": "unknown"},
    "bdrc.task": {
        "CREATED": "pending",
        "RUNNING": "running",
        "COMPLETE": "succeeded",
        "FAILED": "failed",
        "EXPIRED": "expired",
        "CANCELED": "canceled",
    },
    "ice.workflow_task": {
        "Init": "pending",
        "Processing": "running",
        "Succeed": "succeeded",
        "Failed": "failed",
        "Canceled": "canceled",
    },
    "wedata.task": {
        "N": "pending",
        "Y": "succeeded",
        "O": "running",
        "T": "running",
        "F": "failed",
        "INVALID": "failed",
    },
    "lke.task": {
        "PENDING": "pending",
        "RUNNING": "running",
        "SUCCESS": "succeeded",
        "FAILED": "failed",
        None: "unknown",
    },
}
SUCCESS = {
    "bpstudio.task": "FINISH",
    "bdrc.task": "COMPLETE",
    "ice.workflow_task": "Succeed",
    "wedata.task": "Y",
    "lke.task": "SUCCESS",
}
RUNNING = {
    "bpstudio.task": "BINDING",
    "bdrc.task": "RUNNING",
    "ice.workflow_task": "Processing",
    "wedata.task": "O",
    "lke.task": "RUNNING",
}
_ENDS = {"succeeded": "success", "failed": "failed", "canceled": "failed", "expired": "failed"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One wait.

    Args:
        name: The Airflow task's id.
        api: The API.
        script: The statuses that the cloud's task walks through, one for each time it is read; none if the cloud never
            has the task.
        fields: What its answers hold besides.
        sensor: The sensor's arguments.
        ends: The Airflow task's state at the end.
        raises: The exception that the Airflow task ends with, and a part of its text.
        polled_at_least: How often the sensor must ask.
    """

    name: str
    api: str
    script: tuple[dict[str, Any], ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    sensor: dict[str, Any] = field(default_factory=dict)
    ends: str = "success"
    raises: tuple[str, str] | None = None
    polled_at_least: int = 1


def _status_cases() -> list[Case]:
    cases = []
    for api, statuses in STATUSES.items():
        for number, (status, state) in enumerate(statuses.items()):
            over = state in _ENDS
            # A status that ends the wait comes after a running one, so that the wait is a real one in every mode.
            first, last = (RUNNING[api], status) if over else (status, SUCCESS[api])
            failed = _ENDS.get(state) == "failed"
            cases.append(
                Case(
                    name=f"{api}-{number}-{str(status).strip()}",
                    api=api,
                    script=({"status": first}, {"status": last}),
                    fields={"ErrorMessage": ""} if api in ("bpstudio.task", "bdrc.task") else {},
                    ends=_ENDS.get(state, "success"),
                    raises=("CloudTaskFailed", f"ended as {state}") if failed else None,
                    polled_at_least=2,
                )
            )
    return cases


_FAILING = ({"status": "RUNNING"}, {"status": "FAILED", "fields": {"ErrorMessage": "disk gone"}})
_NEVER_ENDING = ({"status": "RUNNING"},)

# Time for twenty polls, of which a slow machine makes two.
_TIMES_OUT = {"timeout": 2, "poke_interval": 0.1}

STATUS_CASES = _status_cases()
CASES = [
    Case(
        name="success",
        api="bdrc.task",
        script=({"status": "RUNNING"}, {"status": "COMPLETE"}),
        polled_at_least=2,
    ),
    Case(
        name="failure_names_everything",
        api="bdrc.task",
        script=_FAILING,
        ends="failed",
        raises=("CloudTaskFailed", "the vendor's status is 'FAILED'; message: disk gone; request id: "),
    ),
    Case(
        name="soft_fail_skips_a_failure", api="bdrc.task", script=_FAILING, sensor={"soft_fail": True}, ends="skipped"
    ),
    Case(
        name="never_fail_skips_a_failure", api="bdrc.task", script=_FAILING, sensor={"never_fail": True}, ends="skipped"
    ),
    Case(
        name="timeout",
        api="bdrc.task",
        script=_NEVER_ENDING,
        sensor=_TIMES_OUT,
        ends="failed",
        raises=("AirflowSensorTimeout", "timed out"),
        polled_at_least=2,
    ),
    Case(
        name="soft_fail_skips_a_timeout",
        api="bdrc.task",
        script=_NEVER_ENDING,
        sensor={"timeout": 1, "soft_fail": True},
        ends="skipped",
    ),
    Case(
        name="missing_task_fails_at_once",
        api="ice.workflow_task",
        ends="failed",
        raises=("NotFound", "Check the task's id"),
    ),
    Case(
        name="missing_task_is_no_soft_failure",
        api="wedata.task",
        sensor={"soft_fail": True},
        ends="failed",
        raises=("NotFound", "ResourceNotFound"),
    ),
    Case(
        name="missing_task_is_waited_on",
        api="wedata.task",
        sensor={"missing": "wait", **_TIMES_OUT},
        ends="failed",
        raises=("AirflowSensorTimeout", "timed out"),
        polled_at_least=2,
    ),
    Case(
        name="unknown_status_fails_on_demand",
        api="lke.task",
        script=({"status": "RUNNING"}, {"status": "PAUSED"}),
        sensor={"on_unknown": "fail"},
        ends="failed",
        raises=("CloudTaskFailed", "'PAUSED'"),
    ),
    Case(
        name="success_statuses_override_the_catalog",
        api="wedata.task",
        script=({"status": "N"}, {"status": "O"}),
        sensor={"success_statuses": ["o"]},
    ),
    Case(
        name="failure_statuses_override_the_catalog",
        api="wedata.task",
        script=({"status": "N"}, {"status": "O"}),
        sensor={"failure_statuses": ["O"]},
        ends="failed",
        raises=("CloudTaskFailed", "ended as failed"),
    ),
    Case(
        name="error_message_fails_a_finished_bpstudio_task",
        api="bpstudio.task",
        script=({"status": "BINDING"}, {"status": "FINISH "}),
        fields={"ErrorMessage": "SyntaxError"},
        ends="failed",
        raises=("CloudTaskFailed", "message: SyntaxError"),
    ),
    Case(
        name="unusable_connection",
        api="bdrc.task",
        script=_NEVER_ENDING,
        sensor={"conn_id": "no_key"},
        ends="failed",
        raises=("InvalidConnection", "'no_key' cannot be used: it has no AccessKey ID"),
        polled_at_least=0,
    ),
    Case(
        name="wrong_secret",
        api="bdrc.task",
        script=_NEVER_ENDING,
        sensor={"conn_id": "wrong_secret"},
        ends="failed",
        raises=("CredentialsError", "SignatureDoesNotMatch"),
    ),
    Case(
        name="never_fail_skips_an_error",
        api="bdrc.task",
        script=_NEVER_ENDING,
        sensor={"conn_id": "wrong_secret", "never_fail": True},
        ends="skipped",
    ),
]
