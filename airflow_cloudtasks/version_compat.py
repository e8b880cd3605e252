"""What differs between the versions of Airflow. Every version gate of the package is one of these constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow import __version__ as AIRFLOW_RELEASE  # noqa: N812 - a constant here
from airflow.triggers.base import BaseTrigger

__all__ = [
    "AIRFLOW_RELEASE",
    "AIRFLOW_VERSION",
    "CALLS_TRIGGER_ON_KILL",
    "HAS_EVENT_TRIGGERS",
    "IS_AIRFLOW_2",
    "LISTS_VARIABLE_KEYS",
    "MUST_FORGET_STARTS",
    "RETRIES_AFTER_TRIGGER_FAILURE",
    "START_FROM_TRIGGER_SINCE",
    "STATS_OF_TRIGGERER",
    "STATS_OF_WORKER",
    "STORES_NONE",
    "BaseEventTrigger",
]

AIRFLOW_VERSION = tuple(map(int, AIRFLOW_RELEASE.split(".")[:2]))

# Airflow 2 runs tasks with direct access to its database. Airflow 3 gives them an API server only.
IS_AIRFLOW_2 = AIRFLOW_VERSION < (3, 0)

# Since 3.3, a task can list the keys of Variables. The list comes from the database itself.
LISTS_VARIABLE_KEYS = AIRFLOW_VERSION >= (3, 3)

# Since this version, the scheduler starts tasks in the triggerer and the triggerer renders their templates.
START_FROM_TRIGGER_SINCE = (3, 3)

# Since 3.3, Airflow retries a task that failed by the event of a trigger.
RETRIES_AFTER_TRIGGER_FAILURE = AIRFLOW_VERSION >= (3, 3)

# The API server of Airflow 3.0 refuses an XCom that is None.
STORES_NONE = AIRFLOW_VERSION != (3, 0)

# Since 3.3, Airflow has a store for the state of a task and empties it. Before, this package keeps a Variable and has
# to delete it.
MUST_FORGET_STARTS = AIRFLOW_VERSION < (3, 3)

# Airflow that has this method calls it when the user kills the task, and only then. Older Airflow cancels the trigger,
# whatever the reason.
CALLS_TRIGGER_ON_KILL = hasattr(BaseTrigger, "on_kill")

# Since 3.2, Airflow holds the module of its metrics twice. A triggerer sets up the one, a worker the other, and metrics
# that are sent through the one that is not set up are lost without a word.
_STATS_TWICE = AIRFLOW_VERSION >= (3, 2)
STATS_OF_TRIGGERER = "airflow.observability.stats" if _STATS_TWICE else "airflow.stats"
STATS_OF_WORKER = "airflow.sdk.observability.stats" if _STATS_TWICE else "airflow.stats"

# Since 3.0, events of triggers start DAGs. Airflow 2 has no class for such triggers.
HAS_EVENT_TRIGGERS = not IS_AIRFLOW_2
if TYPE_CHECKING or HAS_EVENT_TRIGGERS:
    from airflow.triggers.base import BaseEventTrigger
else:
    BaseEventTrigger = BaseTrigger
