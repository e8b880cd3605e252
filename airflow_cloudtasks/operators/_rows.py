"""The rows of a task that has succeeded, as part of an operator's result."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.errors import CloudApiError, error_from_dict
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.rows import results_of, without_rows

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.model import CloudTask
    from airflow_cloudtasks.spec import TaskApi

_log = logging.getLogger(__name__)


def check_max_rows(api: TaskApi, max_rows: int | None) -> None:
    """Refuse a number of rows that no result can have.

    Args:
        api: The API.
        max_rows: The argument; None for a result without rows.

    Raises:
        ValueError: The number is none, or tasks of the API have no rows.
    """
    if max_rows is None:
        return
    if isinstance(max_rows, bool) or not isinstance(max_rows, int) or max_rows < 0:
        raise ValueError(f"max_rows is {max_rows!r}; expected a whole number of rows, or None for no rows.")
    results_of(api)


def rows_part(
    hook: CloudTasksHook, api: TaskApi, task: CloudTask, api_params: Mapping[str, Any] | None, max_rows: int | None
) -> dict[str, Any]:
    """Return the part of a result that holds a task's rows.

    Args:
        hook: Asks the cloud, if the task object does not hold the rows.
        api: The API of the task.
        task: The whole task, as last read.
        api_params: The other parameters that identify it, in the vendor's spelling.
        max_rows: The most rows that the result may hold; None for a result without rows.

    Returns:
        ``rows``; None for a task that has not succeeded, or if there are more rows. Then ``detail`` has none either.

    Raises:
        CloudApiError: The rows could not be read. The text says that the task has succeeded.
    """
    if max_rows is None:
        return {}
    if task.state is not TaskState.SUCCEEDED:
        return {"rows": None}
    try:
        rows = hook.read_rows(api, task, api_params, max_rows=max_rows)
    except CloudApiError as error:
        raise error_from_dict(
            error.as_dict()
            | {"message": f"{api.name} {task.id} has succeeded, but its rows are unread: {error.message}"}
        ) from None
    if rows is not None:
        return {"rows": rows}
    _log.warning(
        "%s %s returned more than max_rows=%d rows, or very long ones: XCom stores none of them.",
        *(api.name, task.id, max_rows),
    )
    return {"rows": None, "detail": without_rows(api, task.detail)}
