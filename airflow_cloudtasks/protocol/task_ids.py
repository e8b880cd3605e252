"""Reads the ids that a wait was given, once they are no templates any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments


def is_many(cloud_task_id: Any) -> bool:
    """Whether it is a list of ids; the output of mapped tasks is a sequence of Airflow's own."""
    return isinstance(cloud_task_id, Iterable) and not isinstance(cloud_task_id, str | bytes | Mapping)


def task_ids(cloud_task_id: Any) -> tuple[str, ...]:
    """Give the ids.

    Args:
        cloud_task_id: One id, or a list of them, as text or as numbers.

    Raises:
        InvalidArguments: There is none, or one of them can be none: nothing, a blank, a mapping.
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
