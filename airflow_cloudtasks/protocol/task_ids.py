"""Read the ids of tasks from an argument whose templates were rendered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments


def is_many(cloud_task_id: Any) -> bool:
    """Return whether the argument is a list of ids; Airflow has its own sequence type for the output of mapped tasks.

    Args:
        cloud_task_id: The argument.
    """
    return isinstance(cloud_task_id, Iterable) and not isinstance(cloud_task_id, str | bytes | Mapping)


def task_ids(cloud_task_id: Any) -> tuple[str, ...]:
    """Return the ids as text.

    Args:
        cloud_task_id: One id or a list of ids, as text or as numbers.

    Raises:
        InvalidArguments: The list is empty, or an entry cannot be an id: None, a blank text, or another type.
    """
    ids = tuple(cloud_task_id) if is_many(cloud_task_id) else (cloud_task_id,)
    if not ids:
        raise InvalidArguments("cloud_task_id turned out to be an empty list; expected at least one task.")
    for each in ids:
        if isinstance(each, bool) or not isinstance(each, str | int) or not str(each).strip():
            raise InvalidArguments(
                f"cloud_task_id turned out to be {cloud_task_id!r:.200}, and {each!r:.100} is no id."
            )
    return tuple(map(str, ids))
