"""What a person does in Airflow's pages while a DAG runs."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from scheduler import IS_AIRFLOW_2

# Lets the person in without a password, or with the one that `airflow standalone` makes up for its admin.
LOGIN = {
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "AIRFLOW__API__AUTH_BACKENDS": "airflow.providers.fab.auth_manager.api.auth.backend.basic_auth",
}


class User:
    """A person at the pages of an Airflow that runs with ``LOGIN`` in its environment.

    Args:
        address: Where they are.
    """

    def __init__(self, address: str) -> None:
        self._api = f"{address}/api/{'v1' if IS_AIRFLOW_2 else 'v2'}"
        if IS_AIRFLOW_2:
            password = Path(os.environ["AIRFLOW_HOME"], "standalone_admin_password.txt").read_text().strip()
            self._authorization = f"Basic {b64encode(f'admin:{password}'.encode()).decode()}"
        else:
            self._authorization = f"Bearer {_ask(Request(f'{address}/auth/token'))['access_token']}"

    def mark_failed(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Do what the button "Mark as failed" of a task does."""
        body: dict[str, Any] = {"new_state": "failed"}
        if IS_AIRFLOW_2:
            body["dry_run"] = False
        _ask(
            Request(
                f"{self._api}/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}",
                json.dumps(body).encode(),
                {"Content-Type": "application/json", "Authorization": self._authorization},
                method="PATCH",
            )
        )


def _ask(request: Request) -> Any:
    for is_last in (*[False] * 9, True):
        try:
            with urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except HTTPError as error:
            # While many tasks run, SQLite is locked now and then.
            if is_last or error.code != HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
    raise AssertionError("the last try returns or raises")
