"""The SQL of a start request, as its spec describes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_cloudtasks.spec import Sql
from airflow_cloudtasks.spec.sql import REGION
from airflow_cloudtasks.values import at, embedded_json, every_at, fold, text


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL that a task runs.

    Args:
        sql: The SQL, one statement or several.
        namespace: OpenLineage's namespace of its tables; None if it is unknown, so that no table can be named.
        catalog: The catalog of tables that are written without one; None if it is unknown.
        database: The database of tables that are written without one; None if it is unknown.
    """

    sql: str
    namespace: str | None = None
    catalog: str | None = None
    database: str | None = None


def statement_of(sql: Sql, parameters: Mapping[str, Any], region: str | None) -> Statement | None:
    """Return the SQL of a start request; None if it has none.

    Args:
        sql: Where the SQL stands.
        parameters: The parameters of the request, in the vendor's spelling and not encoded.
        region: The request's region; None if it is unknown.
    """
    # An object may be given as JSON.
    objects = {name for name, _, rest in (path.partition(".") for path in sql.paths) if rest}
    parameters = {name: embedded_json(value) if name in objects else value for name, value in parameters.items()}
    for name, expected in sql.when.items():
        value = text(at(parameters, name))
        if value is None or fold(value) != fold(expected):
            return None
    found = [each for each in every_at(parameters, sql.statement) if isinstance(each, str) and each.strip()]
    if not found:
        return None
    values = {name: region if name == REGION else text(at(parameters, name)) for name in sql.names_in_namespace()}
    return Statement(
        "\n".join(found),
        sql.filled_namespace(values),
        None if sql.catalog is None else text(at(parameters, sql.catalog)),
        None if sql.database is None else text(at(parameters, sql.database)),
    )
