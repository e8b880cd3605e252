"""The values that Airflow tasks share which ask for the same: Variables of Airflow."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_cloudtasks.airflow_facts import Fact, Is, Unknown, forget_variable, has_supervisor, keep_variable, variable
from airflow_cloudtasks.errors import TransientError
from airflow_cloudtasks.starting.asked import Asked
from airflow_cloudtasks.starting.doorway import Doorway, Registers
from airflow_cloudtasks.values import load_json

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_KEY = "cloud_task_asked"
_DESCRIPTION = "When Airflow tasks last asked a cloud for the same; may be deleted while none of them is being started."
# Questions to Airflow until a try gives up, and the seconds in between.
_TRIES = 4
_SECONDS_BETWEEN_TRIES = 2.0


def doorway_of(context: Context, asked: Asked, owner: str) -> Doorway:
    """Return the doorway that all Airflow tasks share whose look-ups may find each other's tasks.

    Args:
        context: Airflow's context.
        asked: What is asked for.
        owner: Identifies the Airflow task.
    """
    place = [asked.api, asked.action, asked.region, dict(asked.scope)]
    key = f"{_KEY}_{sha256(json.dumps(place, sort_keys=True).encode()).hexdigest()[:32]}"
    # A test may replace the state store. Then it has neither a supervisor nor a database.
    is_test = context.get("task_state_store") is not None and not has_supervisor()
    registers: Registers = _OfThisProcess(key) if is_test else _Variables(key)
    return Doorway(registers, owner)


class _Variables:
    """Variables of Airflow. Each method raises TransientError if Airflow does not answer for some seconds."""

    def __init__(self, key: str) -> None:
        self._key = key

    def get(self, name: str) -> dict[str, Any] | None:
        found = self._ask(lambda: variable(self._name(name)))
        if not isinstance(found, Is):
            return None
        entry = load_json(found.value)
        is_entry = isinstance(entry, dict) and isinstance(entry.get("at"), int | float) and "owner" in entry
        # An entry that cannot be read is another task's.
        return entry if is_entry else {"owner": "", "at": time.time()}

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        # Another task may replace the value before it is read back.
        self._ask(lambda: keep_variable(self._name(name), json.dumps(value), _DESCRIPTION))

    def delete(self, name: str) -> None:
        # A value that stays has no effect after an hour.
        forget_variable(self._name(name))

    def _name(self, name: str) -> str:
        return f"{self._key}_{name}"

    def _ask(self, question: Callable[[], Fact[str]]) -> Fact[str]:
        fact = question()
        for _ in range(_TRIES - 1):
            if not isinstance(fact, Unknown):
                break
            time.sleep(_SECONDS_BETWEEN_TRIES)
            fact = question()
        if isinstance(fact, Unknown):
            raise TransientError(
                f"Airflow does not tell whether another task asks for the same ({fact.why}), so nothing was started.",
                code="AirflowUnavailable",
                unsent=True,
            )
        return fact


class _OfThisProcess:
    """Values of this process."""

    _values: ClassVar[dict[str, dict[str, Any]]] = {}

    def __init__(self, key: str) -> None:
        self._key = key

    def get(self, name: str) -> dict[str, Any] | None:
        return self._values.get(f"{self._key}_{name}")

    def put(self, name: str, value: dict[str, Any]) -> None:
        self._values[f"{self._key}_{name}"] = value

    def delete(self, name: str) -> None:
        self._values.pop(f"{self._key}_{name}", None)
