"""Makes what OpenLineage's provider takes. Its modules are imported when a facet is made, so that no DAG file pays."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.lineage.statement import Statement
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.spec import Service

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

_log = logging.getLogger(__name__)

TASKS_FACET = "cloudtasks_tasks"
"""The name of the run facet with the cloud's tasks."""

_PROVIDER = "airflow.providers.openlineage"

# Characters of a vendor's message in an event.
_LONGEST_MESSAGE = 10_000

# The parser's own rules for any dialect. Those of a named dialect, e.g. hive, take some functions for tables.
_DIALECT = "generic"


def lineage_of(
    service: Service, statement: Statement | None, tasks: Sequence[CloudTask], *, is_query: bool
) -> OperatorLineage[Any, Any] | None:
    """Return what is known of the tasks, and of the tables of their SQL.

    Args:
        service: The product of the tasks.
        statement: The SQL that they run; None if it is unknown, or they run none.
        tasks: The tasks as last read; none before they are started.
        is_query: Whether the tasks are queries, whose ids OpenLineage has a facet for.

    Returns:
        The lineage; None if OpenLineage's provider is not installed.
    """
    if find_spec(_PROVIDER) is None:
        return None
    from airflow.providers.openlineage.extractors import OperatorLineage

    lineage = OperatorLineage() if statement is None else _lineage_of_sql(statement)
    if tasks:
        lineage.run_facets[TASKS_FACET] = _facet_class()(tasks=[_shown(task) for task in tasks])
    if is_query and len(tasks) == 1:
        from airflow.providers.common.compat.openlineage.facet import ExternalQueryRunFacet

        lineage.run_facets["externalQuery"] = ExternalQueryRunFacet(externalQueryId=tasks[0].id, source=service.name)
    return lineage


def _lineage_of_sql(statement: Statement) -> OperatorLineage[Any, Any]:
    """Return the SQL and its tables. Nothing is asked of the database.

    A table whose database is unknown is left out: its name would be that of other tables as well.
    """
    from airflow.providers.common.compat.openlineage.facet import SQLJobFacet
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.providers.openlineage.sqlparser import DatabaseInfo, SQLParser

    class Parser(SQLParser):
        @staticmethod
        def get_metadata_from_parser(inputs: Iterable[Any], outputs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
            return SQLParser.get_metadata_from_parser(_with_database(inputs), _with_database(outputs), *args, **kwargs)

        def attach_column_lineage(self, datasets: Any, database: str | None, parse_result: Any) -> None:
            if len(_with_database(parse_result.in_tables)) == len(parse_result.in_tables):
                super().attach_column_lineage(datasets, database, parse_result)

    parser = Parser(dialect=_DIALECT, default_schema=statement.database)
    try:
        lineage = parser.generate_openlineage_metadata_from_sql(
            sql=statement.sql,
            hook=None,  # type: ignore[arg-type]  # no connection is used
            database_info=DatabaseInfo(scheme=statement.namespace or ""),
            database=statement.catalog,
            use_connection=False,
        )
    except Exception as error:  # of a parser for other databases' SQL, too; the task has run
        _log.warning("The tables of the SQL are unknown to OpenLineage: %s.", type(error).__name__)
        return OperatorLineage(job_facets={"sql": SQLJobFacet(query=statement.sql)})
    if statement.namespace is None:
        lineage.inputs, lineage.outputs = [], []
    return lineage


def _with_database(tables: Iterable[Any]) -> list[Any]:
    known = [table for table in tables if table.schema]
    for table in tables:
        if not table.schema:
            _log.info("OpenLineage is not told of the table %s: the SQL does not say its database.", table.name)
    return known


def _shown(task: CloudTask) -> dict[str, Any]:
    """Return what an event says of a task: all but the vendor's own object, which may be large."""
    shown = {name: value for name, value in task.as_dict().items() if name not in ("detail", "done", "ok")}
    return shown | {"message": None if task.message is None else task.message[:_LONGEST_MESSAGE]}


@cache
def _facet_class() -> Any:
    import attrs
    from airflow.providers.common.compat.openlineage.facet import RunFacet

    @attrs.define
    class CloudtasksTasksRunFacet(RunFacet):
        """The cloud's tasks of an Airflow task."""

        tasks: list[dict[str, Any]]

    return CloudtasksTasksRunFacet
