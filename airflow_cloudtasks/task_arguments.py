"""The arguments that name a task, alike for every sensor and operator, and checked when the DAG is parsed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.values import aware, moment

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook


class TaskArguments:
    """A mixin for operators: which task at which cloud.

    Airflow's own ``task_id`` and ``params`` are taken, hence ``cloud_task_id`` and ``api_params``.
    """

    template_fields: Collection[str] = ("cloud_task_id", "api_params", "conn_id", "region")
    template_fields_renderers: ClassVar[dict[str, str]] = {"api_params": "json"}

    api: TaskApi
    cloud_task_id: Any
    api_params: Any
    conn_id: str | None
    region: str | None

    def name_task(
        self,
        api: str | TaskApi,
        cloud_task_id: Any,
        api_params: Mapping[str, Any] | None,
        conn_id: str | None,
        region: str | None,
    ) -> None:
        """Take the arguments, and refuse those that cannot name a task.

        Templates and XComArgs are taken as they are; what they turn out to be is checked before the first call.

        Args:
            api: A name of the catalog, or a TaskApi.
            cloud_task_id: The task's id at the vendor.
            api_params: The other parameters that name it, in the vendor's spelling.
            conn_id: The Airflow connection.
            region: The region.

        Raises:
            ValueError: An argument is wrong; the text says which, and what was expected.
        """
        self.api = find_api(api)
        if cloud_task_id is None or cloud_task_id in ("", [], ()):
            raise ValueError(
                f"{self.api.name} needs cloud_task_id: the task's id at the vendor, its {self.api.id_param}."
            )
        if api_params is None or isinstance(api_params, Mapping):
            self.api.check_params(api_params or {})
        self.cloud_task_id = cloud_task_id
        self.api_params = api_params
        self.conn_id = conn_id
        self.region = region

    def hook(self) -> CloudTasksHook:
        """Make the hook that reads the task."""
        return hook_of(self.api, self.conn_id, self.region)


def also_successes(statuses: Sequence[str], given: Any) -> tuple[str, ...]:
    """Add statuses to the ``success_statuses`` of a wait.

    Args:
        statuses: What is added.
        given: The ``success_statuses``.

    Raises:
        ValueError: They are no list that can be added to.
    """
    if not isinstance(given, list | tuple | set | frozenset):
        raise ValueError(f"success_statuses is {given!r}; expected a list of statuses.")
    return (*statuses, *given)


def unix_seconds(given: Any) -> float | None:
    """Read a time that an argument gives, once it is no template any more.

    Args:
        given: A datetime, ISO 8601, or Unix seconds; None, or nothing, for no time. Without a zone it is in UTC.

    Raises:
        InvalidArguments: It is none of these.
    """
    if given is None or given == "":
        return None
    read = given if isinstance(given, datetime) else moment(given, UTC)
    if read is None:
        raise InvalidArguments(f"created_since is {given!r:.100}; expected a time as in 2026-01-31T08:00:00+00:00.")
    return aware(read, UTC).timestamp()


def hook_of(api: TaskApi, conn_id: str | None, region: str | None) -> CloudTasksHook:
    """Make the hook for an API's tasks.

    Args:
        api: The API.
        conn_id: The Airflow connection; the cloud's default one if not given.
        region: The region, against the connection's own.
    """
    # Here and not above: a DAG that is parsed imports this module, and must not pay for the vendors' SDKs.
    from airflow_cloudtasks.hooks.any_cloud import hook_for

    return hook_for(api, conn_id, region)
