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
from airflow_cloudtasks.starting.doorway import NAMES, Doorway
from airflow_cloudtasks.values import load_json

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_KEY = "cloud_task_asked"
_DESCRIPTION = "When Airflow tasks last asked a cloud for the same; may be deleted while none of them is being started."
# The Variable that lists the places and days whose Variables exist: before 3.3, Airflow's tasks cannot list Variables.
_INDEX_DESCRIPTION = f"Which Variables named {_KEY}_… exist, so that those of past days are deleted."
# Questions to Airflow until a try gives up, and the seconds in between.
_TRIES = 4
_SECONDS_BETWEEN_TRIES = 2.0
# Places of past days whose Variables one start deletes, at most.
_MOST_DELETED = 10


def doorway_of(context: Context, asked: Asked, owner: str) -> Doorway:
    """Return the doorway that all Airflow tasks share whose look-ups may find each other's tasks.

    Args:
        context: Airflow's context.
        asked: What is asked for.
        owner: Identifies the Airflow task.
    """
    # A test may replace the state store. Then it has neither a supervisor nor a database.
    is_test = context.get("task_state_store") is not None and not has_supervisor()
    kind: type[_OfThisProcess | _Variables] = _OfThisProcess if is_test else _Variables
    wider = kind(_place(asked, {})) if not asked.scope else None
    registers = kind(_place(asked, asked.texts)) if wider is None or asked.texts else wider
    return Doorway(registers, owner, wider=wider)


def _place(asked: Asked, texts: Mapping[str, str]) -> str:
    place = [asked.api, asked.action, asked.region, dict(asked.scope), dict(texts)]
    return sha256(json.dumps(place, sort_keys=True).encode()).hexdigest()[:32]


class _Variables:
    """Variables of Airflow. Each method raises TransientError if Airflow does not answer for some seconds.

    Args:
        place: Identifies the doorway.
    """

    def __init__(self, place: str) -> None:
        self._place = place

    def get(self, name: str) -> dict[str, Any] | None:
        found = self._ask(lambda: variable(self._key(name)))
        if not isinstance(found, Is):
            return None
        entry = load_json(found.value)
        is_entry = isinstance(entry, dict) and isinstance(entry.get("at"), int | float) and "owner" in entry
        # An entry that cannot be read is another task's.
        return entry if is_entry else {"owner": "", "at": time.time()}

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        # At every value again: another task may have replaced the list since the last one.
        self._list(int(name.rpartition("_")[2]))
        # Another task may replace the value before it is read back.
        self._ask(lambda: keep_variable(self._key(name), json.dumps(value), _DESCRIPTION))

    def delete(self, name: str) -> None:
        # What stays is deleted when its day is over.
        forget_variable(self._key(name))

    def _key(self, name: str) -> str:
        return f"{_KEY}_{self._place}_{name}"

    def _list(self, day: int) -> None:
        """List this place and day, and delete the Variables of past days.

        Other tasks may replace the list at the same time, so read it again after a change.
        """
        mine = f"{self._place}_{day}"
        for _ in range(_TRIES):
            found = self._ask(lambda: variable(_KEY))
            stored = load_json(found.value) if isinstance(found, Is) else None
            listed = {each for each in stored if _day(each) is not None} if isinstance(stored, list) else set()
            if mine in listed:
                return
            # Clocks differ, so the day before may not be over for all.
            past = sorted(each for each in listed if (_day(each) or 0) < day - 1)[:_MOST_DELETED]
            kept = listed - {each for each in past if _delete_all(each)}
            written = json.dumps(sorted(kept | {mine}))
            self._ask(lambda: keep_variable(_KEY, written, _INDEX_DESCRIPTION))  # noqa: B023 - called at once

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

    def __init__(self, place: str) -> None:
        self._place = place

    def get(self, name: str) -> dict[str, Any] | None:
        return self._values.get(f"{self._place}_{name}")

    def put(self, name: str, value: dict[str, Any]) -> None:
        self._values[f"{self._place}_{name}"] = value

    def delete(self, name: str) -> None:
        self._values.pop(f"{self._place}_{name}", None)


def _day(listed: Any) -> int | None:
    """Return the day of an entry of the list; None if it is no entry."""
    place, _, day = listed.rpartition("_") if isinstance(listed, str) else ("", "", "")
    return int(day) if place and day.isdecimal() else None


def _delete_all(listed: str) -> bool:
    """Delete the Variables of a place and a day, and return whether none is left."""
    place, _, day = listed.rpartition("_")
    facts = [forget_variable(f"{_KEY}_{place}_{name}_{day}") for name in NAMES]
    return not any(isinstance(fact, Unknown) for fact in facts)
