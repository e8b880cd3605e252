"""Waits that reach a limit of their try, as data: what the limit is, and what Airflow makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from airflow_cloudtasks.version_compat import AIRFLOW_VERSION, START_FROM_TRIGGER_SINCE

MODES: dict[str, dict[str, Any]] = {
    "poke": {"mode": "poke", "deferrable": False},
    # Less than this, and Airflow may queue the task before it has read the end of its last run.
    "reschedule": {"mode": "reschedule", "deferrable": False, "poke_interval": 5},
    "deferrable": {"deferrable": True},
    "end_from_trigger": {"end_from_trigger": True},
}
if AIRFLOW_VERSION >= START_FROM_TRIGGER_SINCE:
    MODES["no_worker"] = {"start_from_trigger": True, "end_from_trigger": True}

# Seconds. The waits with a limit never end by themselves.
LIMIT = 15
# The first of two stages takes so much less than the limit that its end is noticed long before, also on a busy machine.
# The second one never ends.
STAGE_SECONDS = 4
PROJECT = "2417334454903762944"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One wait.

    Args:
        name: The Airflow task's id.
        arguments: The limit, and how to wait.
        error: The exception that its log names.
        tries: How often Airflow tries it: once, and again after an error that Airflow retries.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    error: str
    tries: int


TIMEOUT = {"timeout": LIMIT}
EXECUTION_TIMEOUT = {"execution_timeout": timedelta(seconds=LIMIT)}
SENSORS = [
    case
    for mode, arguments in MODES.items()
    for case in (
        Case(name=f"timeout_{mode}", arguments=arguments | TIMEOUT, error="AirflowSensorTimeout", tries=1),
        Case(
            name=f"execution_timeout_{mode}",
            arguments=arguments | EXECUTION_TIMEOUT,
            error="AirflowTaskTimeout",
            tries=2,
        ),
    )
]
OPERATORS = [
    case
    for way, deferrable in (("worker", False), ("deferrable", True))
    for case in (
        Case(
            name=f"operator_timeout_{way}",
            arguments={"deferrable": deferrable, **TIMEOUT},
            error="WaitTimedOut",
            tries=2,
        ),
        Case(
            name=f"operator_execution_timeout_{way}",
            arguments={"deferrable": deferrable, **EXECUTION_TIMEOUT},
            error="AirflowTaskTimeout",
            tries=2,
        ),
    )
]
TWO_STAGES = [
    Case(
        name=f"two_stages_{way}",
        arguments={"deferrable": deferrable, "retries": 0, **EXECUTION_TIMEOUT},
        error="AirflowTaskTimeout",
        tries=1,
    )
    for way, deferrable in (("worker", False), ("deferrable", True))
]
