"""The methods by which OpenLineage's provider asks an operator or a sensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.lineage.facets import lineage_of
from airflow_cloudtasks.lineage.statement import Statement

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_cloudtasks.model import CloudTask
    from airflow_cloudtasks.spec import TaskApi


class EmitsLineage:
    """A mixin for operators and sensors. Without OpenLineage's provider, its methods are never called."""

    api: TaskApi

    # The tasks as last read, in this process.
    _tasks_for_lineage: Sequence[CloudTask] = ()

    def sql_for_lineage(self) -> Statement | None:
        """Return the SQL that the operator runs; None for most operators."""
        return None

    def get_openlineage_facets_on_start(self) -> OperatorLineage[Any, Any] | None:
        """Return what is known before the task is started: its SQL, and the tables of it."""
        return self._lineage()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Return the tasks that have ended, too.

        Args:
            task_instance: Airflow's task instance; unused.
        """
        return self._lineage()

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Return the tasks as last read, with the vendor's messages. Airflow adds the error itself.

        Args:
            task_instance: Airflow's task instance; unused.
        """
        return self._lineage()

    def _lineage(self) -> OperatorLineage[Any, Any] | None:
        statement, starts = self.sql_for_lineage(), self.api.starts
        runs_sql = statement is not None or bool(starts and all(start.sql is not None for start in starts))
        return lineage_of(self.api.service, statement, self._tasks_for_lineage, is_query=runs_sql)
