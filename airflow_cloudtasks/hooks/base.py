"""The base of all hooks: read, explain and cancel tasks, each with a synchronous and an asynchronous method."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any

from airflow_cloudtasks.errors import CloudTasksError, InvalidArguments
from airflow_cloudtasks.hooks.calling import CallingHook
from airflow_cloudtasks.hooks.canceling import AlreadyEnded, cancel_each, check_canceled
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.cancel_requests import cancel_requests
from airflow_cloudtasks.protocol.explain import Answer, Request, explanation
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.protocol.reading import Reading
from airflow_cloudtasks.protocol.rows import RowReading, results_of
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES, StatusOverrides
from airflow_cloudtasks.protocol.task_ids import one_task_id, task_ids
from airflow_cloudtasks.spec import Action, Service, TaskApi
from airflow_cloudtasks.values import at

AsyncSend = Callable[[Service, Action, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Calls an action and returns its answer, as :meth:`CloudTasksHook.acall` does."""


class CloudTasksHook(CallingHook):
    """Read, explain and cancel tasks of one cloud.

    As an async context manager, the hook keeps its network connections open between calls::

        async with IceHook() as hook:
            task = await hook.aget_task("4215e042b3966ca5441e")

    Args:
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; overrides the connection's region.
    """

    def read_task(
        self,
        api: TaskApi,
        cloud_task_id: str,
        api_params: Mapping[str, Any] | None = None,
        overrides: StatusOverrides = NO_OVERRIDES,
        before_request: Callable[[], None] = lambda: None,
    ) -> CloudTask:
        """Return a task of any API of this hook's cloud.

        Args:
            api: The API.
            cloud_task_id: The task's id.
            api_params: The other parameters that identify it, in the vendor's spelling.
            overrides: Statuses that this read maps to another state than the catalog does.
            before_request: Called before each request; there are several if the task is found in a list.

        Raises:
            CloudApiError: The cloud returned no usable answer; the subclass says why.
            InvalidConnection: The Airflow connection cannot be used.
            InvalidArguments: The parameters cannot identify a task of this API.
        """
        parameters = self.parameters(api, one_task_id(cloud_task_id, api), api_params)
        reading = Reading(api, parameters)
        while reading.request is not None:
            before_request()
            reading.take(self.call(api.service, api.read, reading.request))
        region = self.get_conn().region if api.console_url else None
        return normalise(api, reading.answer, parameters=parameters, region=region, overrides=overrides, copy=False)

    async def aread_task(
        self,
        api: TaskApi,
        cloud_task_id: str,
        api_params: Mapping[str, Any] | None = None,
        overrides: StatusOverrides = NO_OVERRIDES,
    ) -> CloudTask:
        """Return a task, like :meth:`read_task`, without blocking the event loop. The requests pass no gate."""
        parameters = self.parameters(api, one_task_id(cloud_task_id, api), api_params)
        reading = Reading(api, parameters)
        while reading.request is not None:
            reading.take(await self.acall(api.service, api.read, reading.request))
        region = (await self.aget_conn()).region if api.console_url else None
        return normalise(api, reading.answer, parameters=parameters, region=region, overrides=overrides, copy=False)

    def explain(self, api: TaskApi, task: CloudTask, api_params: Mapping[str, Any] | None = None) -> CloudTask:
        """Return a failed task together with the reason for its failure.

        Args:
            api: The API of the task.
            task: The task as last read.
            api_params: The other parameters that identify it, in the vendor's spelling.

        A request that fails is skipped.

        Returns:
            The task, with its failed parts added to ``message`` and ``detail``; the unchanged task if the cloud reports
            no failed part.
        """
        steps = explanation(api, task, self.parameters(api, task.id, api_params))
        step = _advance(steps)
        while not isinstance(step, CloudTask):
            answer: Answer
            try:
                answer = self.call(api.service, *step)
            except CloudTasksError as error:
                answer = error
            step = _advance(steps, answer)
        return step

    async def aexplain(
        self,
        api: TaskApi,
        task: CloudTask,
        api_params: Mapping[str, Any] | None = None,
        *,
        send: AsyncSend | None = None,
    ) -> CloudTask:
        """Return a failed task with the reason, like :meth:`explain`, without blocking the event loop.

        Args:
            api: The API of the task.
            task: The task as last read.
            api_params: The other parameters that identify it, in the vendor's spelling.
            send: Sends the requests in place of :meth:`acall`, e.g. within a shared allowance.
        """
        steps = explanation(api, task, self.parameters(api, task.id, api_params))
        step = _advance(steps)
        while not isinstance(step, CloudTask):
            answer: Answer
            try:
                answer = await (send or self.acall)(api.service, *step)
            except CloudTasksError as error:
                answer = error
            step = _advance(steps, answer)
        return step

    def read_rows(
        self, api: TaskApi, task: CloudTask, api_params: Mapping[str, Any] | None = None, *, max_rows: int = 1000
    ) -> list[dict[str, Any]] | None:
        """Return the rows of a task that has succeeded.

        Args:
            api: The API of the task. Its tasks have rows: ``api.results`` is not None.
            task: The whole task, as last read.
            api_params: The other parameters that identify it, in the vendor's spelling.
            max_rows: The most rows to return.

        Returns:
            The rows of the last statement that has columns, each a dict by column, with values as the vendor returns
            them. Without any row, an empty list. None if all statements together have more than ``max_rows`` rows, or
            their rows more than ten million characters.

        Raises:
            NotFound: The vendor holds no result of the task, or no longer.
            CloudApiError: The cloud returned no usable answer; the subclass says why.
            InvalidConnection: The Airflow connection cannot be used.
            InvalidArguments: Tasks of the API have no rows.
        """
        reading = RowReading(api, task, self.parameters(api, task.id, api_params), max_rows)
        action = results_of(api).action
        while action is not None and reading.request is not None:
            reading.take(self.call(api.service, action, reading.request))
        return reading.rows

    def cancel_task(
        self,
        api: TaskApi,
        cloud_task_id: str | Sequence[str],
        api_params: Mapping[str, Any] | None = None,
        *,
        already_ended: AlreadyEnded = "fail",
    ) -> list[str]:
        """Cancel one task or several. A task that cannot be canceled does not keep the others running.

        Args:
            api: The API.
            cloud_task_id: The task's id, or a list of ids.
            api_params: The other parameters that identify it, in the vendor's spelling. If the vendor's cancel action
                needs further parameters, the hook reads them from the task.
            already_ended: ``fail`` to raise for a task that has ended, ``ok`` to accept it.

        Returns:
            The ids of tasks that were accepted because they had ended.

        Raises:
            CloudApiError: The cloud returned no usable answer, or did not cancel a task; the subclass says why.
            InvalidConnection: The Airflow connection cannot be used.
            InvalidArguments: The vendor has no action that cancels such a task.
        """
        return cancel_each(self, api, task_ids(cloud_task_id, api), dict(api_params or {}), already_ended)

    def cancel_requests(self, api: TaskApi, ids: Sequence[str], known: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the parameters of each request that cancels these tasks; read the tasks if a parameter is not known.

        Args:
            api: The API.
            ids: Ids of the tasks.
            known: The other parameters that identify the tasks, and all other known parameters, in the vendor's
                spelling.
        """
        missing = {name: path for name, path in (api.cancel.found if api.cancel else {}).items() if name not in known}
        if not missing:
            return cancel_requests(api, ids, known)
        api_params = api.known_params(known)
        requests = []
        for task_id in ids:
            detail = self.read_task(api, task_id, api_params).detail
            found = {name: at(detail, path) for name, path in missing.items()}
            requests += cancel_requests(api, [task_id], {**known, **found})
        return requests

    def cancel(self, api: TaskApi, request: Mapping[str, Any]) -> None:
        """Send one request of :meth:`cancel_requests`; raise the same errors as :meth:`cancel_task`."""
        assert api.cancel is not None  # noqa: S101 - for the type checker
        answer = self.call(api.service, api.cancel.action, request)
        check_canceled(api.cancel, answer, _ids(request.get(api.cancel.id_param)))

    async def acancel(self, api: TaskApi, request: Mapping[str, Any], *, send: AsyncSend | None = None) -> None:
        """Send one cancel request, like :meth:`cancel`, without blocking the event loop.

        Args:
            api: The API.
            request: The parameters of the request.
            send: Sends the request in place of :meth:`acall`.
        """
        assert api.cancel is not None  # noqa: S101 - for the type checker
        answer = await (send or self.acall)(api.service, api.cancel.action, request)
        check_canceled(api.cancel, answer, _ids(request.get(api.cancel.id_param)))

    def parameters(self, api: TaskApi, cloud_task_id: str, api_params: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the parameters of the request that reads a task.

        Args:
            api: The API.
            cloud_task_id: The task's id.
            api_params: The other parameters that identify it, in the vendor's spelling.

        Raises:
            InvalidArguments: The parameters cannot identify a task of this API, or another cloud offers the API.
        """
        if api.cloud != self.connection_fields.cloud:
            raise InvalidArguments(
                f"{api.name} is an API of {api.cloud}, and {type(self).__name__} calls {self.connection_fields.cloud}."
            )
        given = dict(api_params or {})
        api.check_params(given)
        return api.parameters(cloud_task_id, given)


def _ids(value: Any) -> list[str]:
    """Return the ids in the parameter of a cancel request; none if it was stored by another name."""
    values = value if isinstance(value, list | tuple) else [value]
    return [str(each) for each in values if each is not None]


def _advance(steps: Generator[Request, Answer | None, CloudTask], answer: Answer | None = None) -> Request | CloudTask:
    """Pass on an answer; return the next request, or the explained task at the end."""
    try:
        return steps.send(answer)
    except StopIteration as end:
        explained: CloudTask = end.value
        return explained
