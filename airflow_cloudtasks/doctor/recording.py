"""Record the answers about one task: its read, a page of its list, and what explains a failure."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from airflow_cloudtasks import __version__
from airflow_cloudtasks.clouds.client import CloudClient
from airflow_cloudtasks.doctor.anonymous import Anonymous
from airflow_cloudtasks.errors import CloudApiError, CloudTasksError
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.protocol.explain import Answer, explanation
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.protocol.reading import Reading
from airflow_cloudtasks.spec import Action, TaskApi

FORMAT = 1


def recording(client: CloudClient, api: TaskApi, cloud_task_id: str, api_params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers about a task as plain JSON types, with everything replaced that tells about its owner.

    Args:
        client: Sends the requests.
        api: The API.
        cloud_task_id: The task's id.
        api_params: The other parameters that identify the task.

    Returns:
        ``format``; ``api``; ``version``, that of this package; ``task``: the parameters that identify it, also those
        that no request takes; ``calls``: for each request its ``use`` (``read``,
        ``list`` or ``explain``), ``action``, ``parameters``, and its ``answer`` in the vendor's envelope, or the
        ``error``.

    Raises:
        CloudTasksError: No answer came to the read, so that there is nothing to record.
    """
    recorder = _Recorder(client, api)
    parameters = api.parameters(cloud_task_id, api_params)
    read = recorder.read(parameters)
    if isinstance(read, CloudApiError) and read.http_status is None:
        raise read
    if api.list_tasks is not None and not api.find_in_list:
        recorder.call(
            "list", api.list_tasks.action, Pages(api.list_tasks, api.list_params(parameters), api.name).next_page or {}
        )
    if not isinstance(read, CloudTasksError):
        recorder.explain(read, parameters)
    task = recorder.anonymous.parameters(parameters)
    return {"format": FORMAT, "api": api.name, "version": __version__, "task": task, "calls": recorder.calls}


class _Recorder:
    def __init__(self, client: CloudClient, api: TaskApi) -> None:
        self._client, self._api = client, api
        self.anonymous = Anonymous(api)
        self.calls: list[dict[str, Any]] = []

    def call(self, use: str, action: Action, parameters: Mapping[str, Any]) -> Answer:
        recorded = {"use": use, "action": action.name, "parameters": self.anonymous.parameters(parameters)}
        answer: Answer
        try:
            answer = self._client.call(self._api.service, action, parameters)
            recorded["answer"] = _enveloped(self._api.cloud, self.anonymous.answer(answer))
        except CloudApiError as error:
            answer = error
            recorded["error"] = {
                "kind": type(error).__name__,
                "code": error.code,
                "message": self.anonymous.text(error.message),
                "http_status": error.http_status,
            }
        self.calls.append(recorded)
        return answer

    def read(self, parameters: Mapping[str, Any]) -> Answer:
        """Record the requests that read the task; return the last answer, which may lack the task."""
        reading = Reading(self._api, parameters)
        while (request := reading.request) is not None:
            answer = self.call("read", self._api.read, request)
            if isinstance(answer, CloudTasksError):
                return answer
            with suppress(CloudApiError):
                reading.take(answer)
        return reading.answer

    def explain(self, read: Any, parameters: Mapping[str, Any]) -> None:
        """Record the requests that say why a task failed; none for another task."""
        try:
            task = normalise(self._api, read, parameters=parameters, region=self._client.region)
        except CloudTasksError:
            return
        steps = explanation(self._api, task, parameters)
        with suppress(StopIteration):
            request = next(steps)
            while True:
                request = steps.send(self.call("explain", *request))


def _enveloped(cloud: Cloud, content: Any) -> Any:
    """Return an answer as the vendor sends it; Alibaba Cloud has no envelope."""
    return {"Response": content} if cloud == "tencent" else content
