"""What a user does in Airflow's pages: triggers DAGs and marks tasks as failed."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

# Longer than SQLite waits for a lock: after that, the API server answers 500.
_ANSWER_SECONDS = 60


class User:
    """A user of a running Airflow, logged in as its admin.

    Args:
        address: The address of its pages.
        home: Its AIRFLOW_HOME.
        is_airflow_2: Whether it is an Airflow 2.
    """

    def __init__(self, address: str, home: Path, *, is_airflow_2: bool) -> None:
        self._api = f"{address}/api/{'v1' if is_airflow_2 else 'v2'}"
        self._is_airflow_2 = is_airflow_2
        if is_airflow_2:
            password = (home / "standalone_admin_password.txt").read_text().strip()
            self._authorization = f"Basic {b64encode(f'admin:{password}'.encode()).decode()}"
        else:
            self._authorization = f"Bearer {_answer_to(Request(f'{address}/auth/token'))['access_token']}"

    def trigger(self, dag_id: str, run_id: str, logical_date: str | None, conf: dict[str, Any] | None) -> None:
        """Start a run of a DAG.

        Args:
            dag_id: The DAG.
            run_id: The id of the run.
            logical_date: Its logical date in ISO 8601; now, if there is none.
            conf: Its configuration.
        """
        run = {"dag_run_id": run_id, "conf": conf or {}, "logical_date": logical_date or datetime.now(UTC).isoformat()}
        self._ask("POST", f"dags/{dag_id}/dagRuns", run)

    def mark_failed(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Do what the button "Mark as failed" of a task does."""
        body: dict[str, Any] = {"new_state": "failed"}
        if self._is_airflow_2:
            body["dry_run"] = False
        self._ask("PATCH", f"dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}", body)

    def clear(self, dag_id: str, run_id: str, task_ids: Sequence[str]) -> None:
        """Do what the button "Clear" of tasks does."""
        which = {"dag_run_id": run_id, "task_ids": list(task_ids), "only_failed": False, "reset_dag_runs": True}
        self._ask("POST", f"dags/{dag_id}/clearTaskInstances", which | {"dry_run": False})

    def delete(self, dag_id: str, run_id: str) -> None:
        """Do what the button "Delete" of a run does; from Airflow 3.1 on, a running one has to be marked first."""
        path = f"dags/{dag_id}/dagRuns/{quote(run_id)}"
        try:
            self._ask("DELETE", path)
        except HTTPError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise
            self._ask("PATCH", path, {"state": "failed"})
            self._ask("DELETE", path)

    def extra_links(self, dag_id: str, run_id: str, task_id: str) -> dict[str, str | None]:
        """Return the addresses of the buttons that the page of a task shows, by their names."""
        answer = self._ask("GET", f"dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}/links")
        links: dict[str, str | None] = answer if self._is_airflow_2 else answer["extra_links"]
        return links

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": self._authorization}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        return _answer_to(Request(f"{self._api}/{path}", data, headers, method=method))


def _answer_to(request: Request) -> Any:
    for is_last in (*[False] * 9, True):
        try:
            with urlopen(request, timeout=_ANSWER_SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            # While many tasks run, SQLite is sometimes locked.
            if is_last or error.code != HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
        except TimeoutError:
            if is_last:
                raise
    raise AssertionError("the last try returns or raises")
