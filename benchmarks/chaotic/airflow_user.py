"""What a user does in Airflow: starts DAGs, and marks tasks as failed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener


class AirflowUser:
    """An admin, by Airflow's REST API.

    Args:
        address: The address of the API server.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._open = build_opener(ProxyHandler({})).open
        self._token = self._answer(Request(f"{address}/auth/token"))["access_token"]

    def trigger(self, dag_id: str, run_id: str) -> None:
        """Start a run of a DAG."""
        run = {"dag_run_id": run_id, "logical_date": datetime.now(UTC).isoformat()}
        self._ask("POST", f"dags/{dag_id}/dagRuns", run)

    def mark_failed(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Mark a task as failed, as the button does."""
        self._ask("PATCH", f"dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}", {"new_state": "failed"})

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        self._answer(Request(f"{self._address}/api/v2/{path}", json.dumps(body).encode(), headers, method=method))

    def _answer(self, request: Request) -> Any:
        with self._open(request, timeout=30) as answer:
            return json.load(answer)
