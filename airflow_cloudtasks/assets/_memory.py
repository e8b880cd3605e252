"""Where a watcher keeps what must outlive a restart: a Variable of Airflow, alike on every version.

Airflow 3.3 has a store for the state of an asset. It refuses triggers that serve several assets, and older versions
have none.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

from airflow_cloudtasks.airflow_facts import Fact, Is, IsNot, adag_runs, akeep_variable, avariable, has_supervisor

_log = logging.getLogger(__name__)

_DESCRIPTION = "The ends of cloud tasks that a watcher has seen. Written by airflow_cloudtasks."


class Memory:
    """The Variable of one watcher.

    A process without a supervisor runs no watcher for Airflow, so nothing is kept there.

    Args:
        stored: What Airflow stores of the trigger.
        trigger_id: The id of the trigger's row. A watcher that is removed and made again has another one.
        goes_on: Whether a watcher that is made again goes on where the one before it was.
    """

    def __init__(self, stored: Mapping[str, Any], trigger_id: int | None, *, goes_on: bool) -> None:
        digest = hashlib.sha256(json.dumps(stored, sort_keys=True, default=str).encode()).hexdigest()[:32]
        self._key = f"airflow_cloudtasks_watcher_{digest}"
        self._trigger_id = trigger_id
        self._goes_on = goes_on

    async def load(self) -> Fact[dict[str, Any]]:
        """Return what was kept; it is not there for a watcher that has just been made."""
        if not has_supervisor():
            return IsNot()
        found = await avariable(self._key)
        if not isinstance(found, Is):
            return found
        try:
            kept = json.loads(found.value)
            ends, is_ours = kept["ends"], self._goes_on or kept["trigger"] == self._trigger_id
        except (ValueError, TypeError, KeyError):
            _log.warning("Variable %s holds nothing that a watcher wrote. The watcher begins anew.", self._key)
            return IsNot()
        return Is(ends) if is_ours else IsNot()

    async def keep(self, ends: Mapping[str, Any]) -> Fact[Any]:
        """Keep this; return whether it is there afterwards.

        Args:
            ends: Plain JSON types.
        """
        if not has_supervisor():
            return Is(None)
        value = json.dumps({"trigger": self._trigger_id, "ends": ends})
        return await akeep_variable(self._key, value, _DESCRIPTION)


async def runs_of(dag_id: str, *, active: bool = False) -> Fact[int]:
    """Return how many runs a DAG has.

    Args:
        dag_id: The DAG.
        active: Whether to count only runs that are queued or running.
    """
    return await adag_runs(dag_id, ["queued", "running"] if active else None)
