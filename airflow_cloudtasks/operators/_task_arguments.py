"""The arguments that identify a task: the same for every sensor and operator, and checked at parse time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.spec import TaskApi

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook


class TaskArguments:
    """A mixin for operators and sensors with the arguments that identify a task.

    The names ``cloud_task_id`` and ``api_params`` differ from Airflow's own ``task_id`` and ``params``.
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
        """Set the arguments; raise if they cannot identify a task.

        The values of templates and XComArgs are checked later, before the first call.

        Args:
            api: A name in the catalog, or a TaskApi.
            cloud_task_id: Id of the task at the vendor, or a list of ids.
            api_params: The other parameters that identify the task, in the vendor's spelling.
            conn_id: Id of the Airflow connection; None for the cloud's default connection.
            region: Region id; None for the connection's region.

        Raises:
            ValueError: An argument is wrong; the text says which one, and what is expected.
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
        """Return a hook that reads the task."""
        return hook_for(self.api, self.conn_id, self.region)
