"""What a task of Airflow remembers from one try to the next."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from airflow.providers.common.compat.sdk import Variable

from airflow_cloudtasks.starting.attempt import Memory
from airflow_cloudtasks.values import load_json
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_KEY = "cloud_task_start"

_ENDED_AT = "ended_at"
# Seconds that Airflow 2 keeps what has ended, and what has not: as long as Airflow 3 by default.
_ENDED_SECONDS = 3600.0
_KEPT_SECONDS = 30 * 24 * 3600.0
# Airflow's NEVER_EXPIRE. By default it lets go of what is older than a month, and a task may take longer.
_FOR_EVER = timedelta.max


class TaskMemory(Memory, Protocol):
    """What a task of Airflow remembers."""

    def end(self) -> None:
        """Let go of what nobody will ask for any more."""


def memory_of(context: Context) -> TaskMemory:
    """Find what a task remembers.

    Args:
        context: Airflow's context.
    """
    # Airflow 3.3 and newer. XComs are no such thing: a retry begins without them.
    store = context.get("task_state_store")
    if store is not None:
        return _StateStore(store)
    return (_VariableOfAirflow2 if IS_AIRFLOW_2 else _Variable)(context["ti"])


class _StateStore:
    """Airflow's own place for it, which it empties with the run of the DAG."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def get(self) -> dict[str, Any] | None:
        value = self._store.get(_KEY)
        return value if isinstance(value, dict) else None

    def keep(self, value: dict[str, Any]) -> None:
        self._store.set(_KEY, value, retention=_FOR_EVER)

    def forget(self) -> None:
        self._store.delete(_KEY)

    def end(self) -> None:
        """Leave it there: a worker that dies before it can tell Airflow of its success is still to be remembered."""


class _Variable:
    """A Variable for as long as the task runs: all that older Airflow lets a retry see."""

    def __init__(self, task_instance: Any) -> None:
        names = (task_instance.dag_id, task_instance.run_id, task_instance.task_id, str(task_instance.map_index))
        self._told = f"What {' / '.join(names)} started at a cloud; a retry goes on with it."
        # Names of DAGs and runs may be longer together than that of a Variable.
        self._key = f"{_KEY}_{hashlib.sha256(json.dumps(names).encode()).hexdigest()[:32]}"

    def get(self) -> dict[str, Any] | None:
        value = load_json(self._read() or "")
        return {name: each for name, each in value.items() if name != _ENDED_AT} if isinstance(value, dict) else None

    def keep(self, value: dict[str, Any]) -> None:
        Variable.set(self._key, json.dumps(value), description=self._told)

    def forget(self) -> None:
        Variable.delete(self._key)

    def end(self) -> None:
        self.forget()

    def _read(self) -> Any:
        return Variable.get(self._key, None)


class _VariableOfAirflow2(_Variable):
    """The same on Airflow 2, which may try a task again that has just succeeded, having taken its worker for dead."""

    def end(self) -> None:
        if (value := self.get()) is not None:
            self.keep({**value, _ENDED_AT: time.time()})
        _let_go_of_old_variables()

    def _read(self) -> Any:
        # To Variable.get, a database that fails is one without it, and a second task would be started.
        from airflow.secrets.metastore import MetastoreBackend

        return MetastoreBackend().get_variable(self._key)


def _let_go_of_old_variables() -> None:
    """Delete what other tasks have left: each that ends takes along what is too old, however much is not."""
    from airflow.models.variable import Variable as Row
    from airflow.utils.session import create_session

    now = time.time()
    with create_session() as session:
        for row in session.query(Row).filter(Row.key.startswith(f"{_KEY}_")):
            value = load_json(row.val or "")
            kept = value if isinstance(value, dict) else {}
            if now - kept.get(_ENDED_AT, now) > _ENDED_SECONDS or now - kept.get("sent_at", now) > _KEPT_SECONDS:
                session.delete(row)
