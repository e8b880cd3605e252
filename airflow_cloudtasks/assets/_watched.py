"""What can be watched, and by which list. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_cloudtasks.catalog import every_api, stored_api
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.spec import TaskApi, TaskList
from airflow_cloudtasks.spec.names import check_name


def listing_of(api: TaskApi) -> TaskList:
    """Return the list that shows the ends of an API's tasks.

    Args:
        api: The API.

    Raises:
        InvalidArguments: There is none; the text names the APIs that can be watched.
    """
    if not is_watchable(api):
        watchable = ", ".join(sorted(each.name for each in every_api().values() if is_watchable(each)))
        raise InvalidArguments(
            f"{api.name} cannot be watched: none of its lists shows when a task ended. These APIs can: {watchable}."
        )
    listing = api.list_tasks if api.feed is None else api.feed.tasks
    assert listing is not None  # noqa: S101 - see is_watchable
    return listing


def is_watchable(api: TaskApi) -> bool:
    """Return whether a list of the API shows the ends of tasks, with their times.

    Args:
        api: The API.
    """
    if api.feed is not None:
        # If the id of an entry is another thing's, a single read shows only the last one of its ends.
        return api.feed.id is None
    return api.list_tasks is not None and api.finished_at is not None and api.id is not None


def check_scope(api: TaskApi, api_params: Mapping[str, Any]) -> None:
    """Refuse parameters that do not say which list is to be read.

    Args:
        api: The API.
        api_params: The parameters, in the vendor's spelling.

    Raises:
        InvalidArguments: A parameter is missing, unknown or no name; or the API cannot be watched.
    """
    listing = listing_of(api)
    # Entries that are not complete are read by their ids.
    needed = tuple(dict.fromkeys((*listing.action.params, *(() if listing.complete else api.task_params))))
    accepted = tuple(dict.fromkeys((*needed, *listing.action.accepted, *api.task_params)))
    takes = ", ".join(accepted) or "none"
    for name in needed:
        if api_params.get(name) in (None, ""):
            raise InvalidArguments(f"A watcher of {api.name} needs {name} in api_params. It takes: {takes}.")
    for name, value in api_params.items():
        if name not in accepted:
            raise InvalidArguments(f"A watcher of {api.name} knows no {name} in api_params. It takes: {takes}.")
        check_name(api.name, name, value)


@dataclass(frozen=True, eq=False)
class Watched:
    """What is watched. Watchers of the same share one reader.

    Args:
        api: The API.
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; None for the connection's region.
        api_params: The parameters of the list, in the vendor's spelling.
    """

    api: TaskApi
    conn_id: str | None
    region: str | None
    api_params: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What watchers have in common that share one reader."""
        values = [stored_api(self.api), self.conn_id, self.region, dict(self.api_params)]
        return json.dumps(values, sort_keys=True)
