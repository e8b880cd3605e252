"""Read the rows of a SQL run of WeData. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def rows_of(detail: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """Return the rows of the last statement that has columns.

    Source: the data types SQLRunResult and SQLResultColumn of WeData 2025-08-06.

    Args:
        detail: The task object of GetSQLRunResult.

    Returns:
        The rows, each a dict by column name, and the number of rows of all statements together. A column whose name is
        taken gets a number, e.g. ``total_2``.
    """
    results = _results(detail)
    count = sum(len(_rows(result)) for result in results)
    for result in reversed(results):
        if columns := _columns(result):
            return [dict(zip(columns, _items(row, "Values"), strict=False)) for row in _rows(result)], count
    return [], count


def without_rows(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the task object without the rows of any statement.

    Args:
        detail: The task object of GetSQLRunResult.
    """
    return {**detail, "Results": [{**result, "Rows": []} for result in _results(detail)]}


def _results(detail: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return _objects(detail, "Results")


def _rows(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return _objects(result, "Rows")


def _columns(result: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for column in _objects(result, "Columns"):
        name = base = str(column.get("ColumnName"))
        number = 1
        while name in names:
            number += 1
            name = f"{base}_{number}"
        names.append(name)
    return names


def _objects(holder: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [item for item in _items(holder, name) if isinstance(item, Mapping)]


def _items(holder: Mapping[str, Any], name: str) -> list[Any]:
    """Return the items of a list; none if there is no list."""
    items = holder.get(name)
    return items if isinstance(items, list) else []
