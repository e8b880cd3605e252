"""Look an Airflow connection up, outside of any Airflow task."""

from __future__ import annotations

import os

from airflow.providers.common.compat.sdk import BaseHook

from airflow_cloudtasks.airflow_facts import Fact, FoundConnection, connection


def look_up(conn_id: str) -> Fact[FoundConnection]:
    """Return a connection from the secrets backends, the environment or Airflow's database.

    Args:
        conn_id: The connection's id.
    """
    # As Airflow's own command `airflow connections get` does: without it, Airflow 3 leaves its database out.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    return connection(BaseHook(), conn_id)
