"""Operators for tasks of any API: start a task and wait for it, read a task, cancel a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_cloudtasks.hooks.canceling import AlreadyEnded
from airflow_cloudtasks.lineage.emitting import EmitsLineage
from airflow_cloudtasks.links.console import CloudConsoleLink, keep_link
from airflow_cloudtasks.operators._rows import check_max_rows, rows_part
from airflow_cloudtasks.operators._task_arguments import TaskArguments
from airflow_cloudtasks.operators._time_limits import ChecksExecutionTimeout
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.waiting.outcome import result_of
from airflow_cloudtasks.waiting.sizes import left_out
from airflow_cloudtasks.waiting.verdicts import Finished
from airflow_cloudtasks.xcoms.parts import push_parts

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_cloudtasks.spec import TaskApi

__all__ = ["CancelCloudTaskOperator", "GetCloudTaskOperator", "StartCloudTaskOperator"]


class _TaskOperator(ChecksExecutionTimeout, TaskArguments, EmitsLineage, BaseOperator):
    """The base of operators that take one task."""

    operator_extra_links = (CloudConsoleLink(),)

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


class GetCloudTaskOperator(_TaskOperator):
    """Read a task of any API once, whatever its state, and return it.

    Args:
        api: A name in the catalog, e.g. ``wedata.task``, or your own TaskApi.
        cloud_task_id: Id of the task at the vendor (templated).
        api_params: The other parameters that identify the task, in the vendor's spelling (templated).
        conn_id: Id of the Airflow connection; None for ``alibaba_default`` or ``tencent_default`` (templated).
        region: Region id; overrides the connection's region (templated).
        max_rows: For an API whose tasks return rows: the most rows that the result holds, as ``rows``. None for no
            ``rows``.
        multiple_outputs: Whether to store each part of the result as an XCom of its own, too, so that the next task can
            use ``read.output["detail"]``.
        **kwargs: Arguments of Airflow's BaseOperator.

    Returns:
        The normalised task as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` returns it; Airflow stores it as
        XCom. With ``max_rows``, it also has ``rows``, each a dict by column; None if there are more, or the task has
        not succeeded.

    Raises:
        ValueError: At parse time, if an argument is wrong; the text says which one, and what is expected.
        CloudApiError: The cloud returned no usable answer; the subclass says why.
        InvalidConnection: The Airflow connection cannot be used.
    """

    ui_color = "#e8eef9"
    takes_lists = False

    def __init__(self, *, max_rows: int | None = None, multiple_outputs: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_max_rows(self.api, max_rows)
        self.max_rows = max_rows
        self.multiple_outputs = multiple_outputs

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the task."""
        (task_id,) = self.named_ids()
        hook = self.hook()
        task = hook.read_task(self.api, task_id, self.api_params)
        self.log.info("%s", task)
        keep_link(context, hook, self.api, [task])
        self._tasks_for_lineage = [task]
        read = [Finished(task)]
        for line in left_out(read):
            self.log.warning(line)
        result: dict[str, Any] = result_of(read, many=False)
        result |= rows_part(hook, self.api, task, self.api_params, self.max_rows)
        push_parts(self, context, result)
        return result


class CancelCloudTaskOperator(_TaskOperator):
    """Cancel one task or several, without waiting until they have ended. The vendor must offer this for the API.

    A task that cannot be canceled does not keep the others running. The operator fails after all of them were tried.

    Args:
        api: A name in the catalog, e.g. ``wedata.workflow_run``, or your own TaskApi.
        cloud_task_id: Id of the task at the vendor, or a list of ids (templated).
        api_params: The other parameters that identify the tasks, in the vendor's spelling (templated).
        conn_id: Id of the Airflow connection; None for ``alibaba_default`` or ``tencent_default`` (templated).
        region: Region id; overrides the connection's region (templated).
        already_ended: What to do about a task that cannot be canceled because it has ended: ``fail``, or accept it with
            ``ok``, e.g. in a teardown.
        **kwargs: Arguments of Airflow's BaseOperator.

    Raises:
        ValueError: At parse time, if an argument is wrong, or the vendor has no action that cancels such a task.
        CloudApiError: The cloud returned no usable answer, or did not cancel a task; the subclass says why.
        InvalidConnection: The Airflow connection cannot be used.
    """

    ui_color = "#f3e3e0"

    def __init__(self, *, already_ended: AlreadyEnded = "fail", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if already_ended not in get_args(AlreadyEnded):
            raise ValueError(f"already_ended is {already_ended!r}; expected {' or '.join(get_args(AlreadyEnded))}.")
        self.already_ended = already_ended
        if self.api.cancel is None:
            raise ValueError(f"{self.api.name}: {self.api.service.product} has no action that cancels such a task.")

    def execute(self, context: Context) -> None:
        """Cancel the task or tasks."""
        ids = self.named_ids()
        hook = self.hook()
        keep_link(context, hook, self.api, [])
        ended = hook.cancel_task(self.api, ids, self.api_params, already_ended=self.already_ended)
        for task_id in ids:
            self.log.info("%s %s: %s.", self.api.name, task_id, "had ended" if task_id in ended else "canceled")
