"""Look an Airflow connection up, outside of any Airflow task."""

from __future__ import annotations

import os

from airflow.providers.common.compat.sdk import BaseHook

from airflow_cloudtasks.airflow_facts import Fact, FoundConnection, connection_outside_tasks


def look_up(conn_id: str) -> Fact[FoundConnection]:
    """Return a connection from the secrets backends, the environment or Airflow's database.

    Args:
        conn_id: The connection's id.
    """
    read_airflows_database()
    return connection_outside_tasks(BaseHook(), conn_id)


def read_airflows_database() -> None:
    """Let this process look connections up in Airflow's database, as Airflow's own command ``connections get`` does.

    Without it, Airflow 3 reads its database in its servers only (``airflow/sdk/execution_time/supervisor.py``).
    """
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
