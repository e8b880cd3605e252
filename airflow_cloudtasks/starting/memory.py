"""What an Airflow task keeps from one try to the next: in its state store, or in a Variable of Airflow's database."""

from __future__ import annotations

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from airflow_cloudtasks.airflow_facts import (
    Fact,
    Is,
    IsNot,
    Unknown,
    forget_state,
    forget_variable,
    has_supervisor,
    keep_state,
    keep_variable,
    kept_state,
    run_row,
    variable,
)
from airflow_cloudtasks.errors import CloudTasksError, TransientError
from airflow_cloudtasks.starting.attempt import Memory
from airflow_cloudtasks.values import load_json
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_log = logging.getLogger(__name__)

_KEY = "cloud_task_start"

# Beside the value: the row of the DAG run that kept it, and when its task ended, in Unix seconds.
_ROW = "airflow_row"
_ENDED_AT = "ended_at"
# Seconds for which Airflow 2 keeps a Variable after the end of its task, and a Variable of a task that never ended.
_ENDED_SECONDS = 3600.0
_KEPT_SECONDS = 30 * 24 * 3600.0
# How often an error path tries to forget, and the seconds in between.
_FORGET_TRIES = 3
_SECONDS_BETWEEN_TRIES = 2.0
# Variables that one success of Airflow 2 looks at. Each success adds at most one.
_MOST_LOOKED_AT = 100


class TaskMemory(Memory, Protocol):
    """What an Airflow task keeps.

    Each method raises TransientError if Airflow could not be asked, or did not confirm a change: an unknown start is
    never taken for none. Airflow retries a try that ends with this error.
    """

    def end(self) -> None:
        """Drop what no retry asks for any more; called after a success."""


def memory_of(context: Context) -> TaskMemory:
    """Return what a task keeps in its row of Airflow's DAG runs. Another row with the same run_id keeps its own.

    Args:
        context: Airflow's context.
    """
    # Not XComs: Airflow deletes them before each try.
    if context.get("task_state_store") is not None:  # Airflow 3.3 and newer
        return _StateStore(context)
    return (_VariableOfAirflow2 if IS_AIRFLOW_2 else _Variable)(context)


def note_or_log(memory: Memory, value: dict[str, Any], sleep: Callable[[float], None] = time.sleep) -> None:
    """Store a value after an answer; log a failure, because the next try can find out the same.

    Args:
        memory: What the task keeps.
        value: The value, of plain JSON types.
        sleep: Waits for a number of seconds.
    """
    for tries_left in reversed(range(_FORGET_TRIES)):
        try:
            memory.keep(value)
            return
        except CloudTasksError as error:
            if not tries_left:
                _log.warning("Airflow does not store which tasks were started; a retry asks their job. %s", error)
            else:
                sleep(_SECONDS_BETWEEN_TRIES)


def forget_or_log(memory: Memory, sleep: Callable[[float], None] = time.sleep) -> None:
    """Forget in the path of an error; log a failure, because it must not hide that error.

    A value that stays cannot start a second task: the next try asks the cloud about it before it starts anything.

    Args:
        memory: What the task keeps.
        sleep: Waits for a number of seconds.
    """
    for tries_left in reversed(range(_FORGET_TRIES)):
        try:
            memory.forget()
        except Exception as error:
            if not tries_left:
                _log.warning("What was started stays stored, and the next try asks the cloud about it. %s", error)
            else:
                sleep(_SECONDS_BETWEEN_TRIES)
        else:
            return


class _StateStore:
    """Airflow's store for the state of a task. Its values belong to the run's row, and are deleted with it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def get(self) -> dict[str, Any] | None:
        """Return what was kept. What an older Airflow kept before an upgrade is moved here."""
        if (found := _read(kept_state(self._context, _KEY))) is not None or (older := self._of_older_airflow) is None:
            return found
        if (found := older.get()) is not None:
            self.keep(found)
            older.end()
        return found

    def keep(self, value: dict[str, Any]) -> None:
        written = json.loads(json.dumps(value))
        _confirm(keep_state(self._context, _KEY, written), written)

    def forget(self) -> None:
        _check_forgotten(forget_state(self._context, _KEY))
        if (older := self._of_older_airflow) is not None:
            older.forget()

    def end(self) -> None:
        """Keep the value: a worker may die before Airflow learns of the success, and a retry must find it then."""

    @property
    def _of_older_airflow(self) -> _Variable | None:
        """The Variable of an older Airflow; None if the store is a test's, which needs no supervisor."""
        return _Variable(self._context) if has_supervisor() else None


class _Variable:
    """A Variable while the task runs: the only place of Airflow before 3.3 that a retry can read."""

    def __init__(self, context: Context) -> None:
        task = context["ti"]
        names = (task.dag_id, task.run_id, task.task_id, str(task.map_index))
        self._description = f"What {' / '.join(names)} started at a cloud; a retry continues with it."
        # The names of DAGs and runs may together be longer than the key of a Variable.
        self._key = f"{_KEY}_{hashlib.sha256(json.dumps(names).encode()).hexdigest()[:32]}"
        self._row = run_row(context)

    def get(self) -> dict[str, Any] | None:
        match variable(self._key):
            case Is(value):
                found = _read(Is(load_json(value)))
            case fact:
                found = _read(fact)
        if found is None:
            return None
        row = found.pop(_ROW, None)
        if not self._row.wrote(row, found.get("sent_at")):
            return None
        if _ENDED_AT in found and row is not None and row.get("tries") == self._row.tries:
            return None  # A try that has succeeded never runs again, so another row had the same id.
        if row is not None and (row.get("id") is None) != (self._row.id is None):
            # Airflow was upgraded from 2 to 3 in between, and run_identity returns another string for the same row.
            found.pop("identity", None)
        found.pop(_ENDED_AT, None)
        return found

    def keep(self, value: dict[str, Any]) -> None:
        written = json.dumps({**value, _ROW: self._row.as_dict()})
        _confirm(keep_variable(self._key, written, self._description), written)

    def forget(self) -> None:
        _check_forgotten(forget_variable(self._key))

    def end(self) -> None:
        if isinstance(fact := forget_variable(self._key), Unknown):
            _log.warning(
                "The Airflow Variable %s is not used any more but could not be deleted (%s).", self._key, fact.why
            )


class _VariableOfAirflow2(_Variable):
    """A Variable that stays for an hour after a success, because Airflow 2 may retry what has just succeeded."""

    def end(self) -> None:
        if (value := self.get()) is not None:
            self.keep({**value, _ENDED_AT: time.time()})
        _delete_expired_variables()


def _read(fact: Fact[Any]) -> dict[str, Any] | None:
    """Return the value of a fact, or None if there is none."""
    match fact:
        case Is(dict(value)):
            return dict(value)
        case IsNot():
            return None
        case Unknown(why):
            pass
        case _:
            why = "the value is not a JSON object"
    raise _unanswered("Looking up what an earlier try started", why, "A retry looks again.")


def _confirm(found: Fact[Any], kept: Any) -> None:
    """Raise TransientError unless a value has been kept."""
    if found != Is(kept):
        why = found.why if isinstance(found, Unknown) else "another value was found afterwards"
        raise _unanswered("Keeping what this try starts", why, "Without it, a retry could start a second task.")


def _check_forgotten(fact: IsNot | Unknown) -> None:
    if isinstance(fact, Unknown):
        raise _unanswered("Deleting what this try kept", fact.why, "A retry finds it and continues from there.")


def _unanswered(what: str, why: str, consequence: str) -> TransientError:
    return TransientError(f"{why}. {consequence}", action=f"{what} in Airflow", unsent=True)


def _delete_expired_variables() -> None:
    """Delete expired Variables of other tasks.

    A success looks at a limited number of them, from a random key on: keys are hashes, so the successes share the work
    evenly, and live Variables cannot hide expired ones.
    """
    from airflow.models.variable import Variable as Row
    from airflow.utils.session import create_session

    now = time.time()
    with create_session() as session:
        ours = session.query(Row).filter(Row.key > f"{_KEY}_", Row.key < f"{_KEY}_g").order_by(Row.key)
        start = f"{_KEY}_{uuid.uuid4().hex}"
        rows = ours.filter(Row.key >= start).limit(_MOST_LOOKED_AT).all()
        rows += ours.filter(Row.key < start).limit(_MOST_LOOKED_AT - len(rows)).all()
        for row in rows:
            value = load_json(row.val or "")
            kept = value if isinstance(value, dict) else {}
            if now - kept.get(_ENDED_AT, now) > _ENDED_SECONDS or now - kept.get("sent_at", now) > _KEPT_SECONDS:
                session.delete(row)
