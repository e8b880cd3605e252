"""The operator that reads a task once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_cloudtasks.task_arguments import TaskArguments

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_cloudtasks.spec import TaskApi


class GetCloudTaskOperator(TaskArguments, BaseOperator):
    """Reads a task of any API once, whatever its state, and returns it.

    Args:
        api: A name of the catalog, e.g. ``wedata.task``, or a TaskApi of one's own.
        cloud_task_id: The task's id at the vendor (templated).
        api_params: The other parameters that name it, in the vendor's spelling (templated).
        conn_id: The Airflow connection, ``alibaba_default`` or ``tencent_default`` if not given (templated).
        region: The region, against the connection's own (templated).
        **kwargs: What Airflow's BaseOperator takes.

    Returns:
        The normalised task, as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` gives it; Airflow puts it to XCom.

    Raises:
        ValueError: When the DAG is parsed: an argument is wrong; the text says which, and what was expected.
        CloudApiError: The cloud gave no usable answer; its subclasses tell why.
        InvalidConnection: The Airflow connection cannot be used.
    """

    ui_color = "#e8eef9"

    def __init__(
        self,
        *,
        api: str | TaskApi,
        cloud_task_id: Any,
        api_params: Mapping[str, Any] | None = None,
        conn_id: str | None = None,
        region: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name_task(api, cloud_task_id, api_params, conn_id, region)

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the task."""
        task = self.hook().read_task(self.api, str(self.cloud_task_id), self.api_params)
        self.log.info("%s", task)
        return task.as_dict()
