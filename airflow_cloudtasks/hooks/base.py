"""What the hooks of all clouds do with tasks: read, explain and cancel them; the sync and async ways are twins."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from airflow_cloudtasks.errors import BadRequest, CloudTasksError, InvalidArguments
from airflow_cloudtasks.hooks.calling import CallingHook
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.cancel_requests import cancel_requests, refusals
from airflow_cloudtasks.protocol.explain import Answer, Request, explanation
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.protocol.status_overrides import CATALOG_STATUSES, StatusOverrides
from airflow_cloudtasks.protocol.task_ids import task_ids
from airflow_cloudtasks.spec import Cancel, TaskApi
from airflow_cloudtasks.values import at, text


class CloudTasksHook(CallingHook):
    """Reads, explains and cancels tasks of one cloud.

    As an async context manager the hook keeps its connections to the cloud open from call to call::

        async with IceHook() as hook:
            task = await hook.aget_task("4215e042b3966ca5441e")

    Args:
        conn_id: The Airflow connection; the cloud's default one if not given.
        region: The region, against the connection's own.
    """

    def read_task(
        self,
        api: TaskApi,
        cloud_task_id: str,
        api_params: Mapping[str, Any] | None = None,
        overrides: StatusOverrides = CATALOG_STATUSES,
    ) -> CloudTask:
        """Read a task of any API of this hook's cloud.

        Args:
            api: The API.
            cloud_task_id: The task's id.
            api_params: The other parameters that name it, in the vendor's spelling.
            overrides: Statuses that mean something else for this read.

        Raises:
            CloudApiError: The cloud gave no usable answer; its subclasses tell why.
            InvalidConnection: The Airflow connection cannot be used.
            InvalidArguments: The parameters cannot name a task of this API.
        """
        parameters = self.parameters(api, cloud_task_id, api_params)
        answer = self.call(api.service, api.read, parameters)
        return normalise(api, answer, parameters=parameters, region=self.get_conn().region, overrides=overrides)

    async def aread_task(
        self,
        api: TaskApi,
        cloud_task_id: str,
        api_params: Mapping[str, Any] | None = None,
        overrides: StatusOverrides = CATALOG_STATUSES,
    ) -> CloudTask:
        """Read a task, as :meth:`read_task`, without blocking the event loop."""
        parameters = self.parameters(api, cloud_task_id, api_params)
        answer = await self.acall(api.service, api.read, parameters)
        region = (await self.aget_conn()).region
        return normalise(api, answer, parameters=parameters, region=region, overrides=overrides)

    def explain(self, api: TaskApi, task: CloudTask, api_params: Mapping[str, Any] | None = None) -> CloudTask:
        """Find out why a task failed.

        Args:
            api: The API of the task.
            task: The task as it was read.
            api_params: The other parameters that name it, in the vendor's spelling.

        Returns:
            The task, with the failed parts of it in its message and its detail; as it was where nothing more is to be
            had. A request that fails is passed over.
        """
        asking = explanation(api, task, self.parameters(api, task.id, api_params))
        step = _step(asking)
        while not isinstance(step, CloudTask):
            try:
                step = _step(asking, self.call(api.service, *step))
            except CloudTasksError as error:
                step = _step(asking, error)
        return step

    async def aexplain(self, api: TaskApi, task: CloudTask, api_params: Mapping[str, Any] | None = None) -> CloudTask:
        """Find out why a task failed, as :meth:`explain`, without blocking the event loop."""
        asking = explanation(api, task, self.parameters(api, task.id, api_params))
        step = _step(asking)
        while not isinstance(step, CloudTask):
            try:
                step = _step(asking, await self.acall(api.service, *step))
            except CloudTasksError as error:
                step = _step(asking, error)
        return step

    def cancel_task(
        self, api: TaskApi, cloud_task_id: str | Sequence[str], api_params: Mapping[str, Any] | None = None
    ) -> None:
        """Cancel a task, or several.

        Args:
            api: The API.
            cloud_task_id: The task's id, or a list of ids.
            api_params: The other parameters that name it, in the vendor's spelling; what the vendor wants to know
                besides is read from the task.

        Raises:
            CloudApiError: The cloud gave no usable answer, or did not cancel it; its subclasses tell why.
            InvalidConnection: The Airflow connection cannot be used.
            InvalidArguments: The vendor has no action that cancels such a task.
        """
        for request in self.cancel_requests(api, task_ids(cloud_task_id), dict(api_params or {})):
            self.cancel(api, request)

    def cancel_requests(self, api: TaskApi, ids: Sequence[str], known: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Give the parameters of the requests that cancel tasks; what is not known of them is read.

        Args:
            api: The API.
            ids: The ids of the tasks.
            known: What names them besides, and whatever else of them is known, in the vendor's spelling.
        """
        missing = {name: path for name, path in (api.cancel.found if api.cancel else {}).items() if name not in known}
        if not missing:
            return cancel_requests(api, ids, known)
        api_params = {name: known[name] for name in api.task_params if name in known}
        requests = []
        for each in ids:
            detail = self.read_task(api, each, api_params).detail
            found = {name: at(detail, path) for name, path in missing.items()}
            requests += cancel_requests(api, [each], {**known, **found})
        return requests

    def cancel(self, api: TaskApi, request: Mapping[str, Any]) -> None:
        """Cancel what a request of :meth:`cancel_requests` names; raises as :meth:`cancel_task`."""
        assert api.cancel is not None  # noqa: S101 - for the type checker
        _check_canceled(api.cancel, self.call(api.service, api.cancel.action, request))

    async def acancel(self, api: TaskApi, request: Mapping[str, Any]) -> None:
        """Cancel, as :meth:`cancel`, without blocking the event loop."""
        assert api.cancel is not None  # noqa: S101 - for the type checker
        _check_canceled(api.cancel, await self.acall(api.service, api.cancel.action, request))

    def parameters(self, api: TaskApi, cloud_task_id: str, api_params: Mapping[str, Any] | None) -> dict[str, Any]:
        """Give the parameters of the request that reads a task.

        Args:
            api: The API.
            cloud_task_id: The task's id.
            api_params: The other parameters that name it, in the vendor's spelling.

        Raises:
            InvalidArguments: They cannot name a task of this API, or the API is not of this hook's cloud.
        """
        if api.cloud != self.connection_fields.cloud:
            raise InvalidArguments(
                f"{api.name} is an API of {api.cloud}, and {type(self).__name__} calls {self.connection_fields.cloud}."
            )
        given = dict(api_params or {})
        api.check_params(given)
        return api.parameters(cloud_task_id, given)


def _step(asking: Generator[Request, Answer | None, CloudTask], answer: Answer | None = None) -> Request | CloudTask:
    try:
        return asking.send(answer)
    except StopIteration as told:
        explained: CloudTask = told.value
        return explained


def _check_canceled(cancel: Cancel, answer: Any) -> None:
    if refused := refusals(cancel, answer):
        raise BadRequest(
            "; ".join(refused), code="NotCanceled", action=cancel.action.name, request_id=text(at(answer, "RequestId"))
        )
