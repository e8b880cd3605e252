"""Cancel a list of tasks, each by itself: one that cannot be canceled does not keep the others running."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from airflow_cloudtasks.errors import BadRequest, CloudApiError, CloudTasksError, NotFound, error_from_dict
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.cancel_requests import refused_tasks
from airflow_cloudtasks.spec import Action, Cancel, Service, TaskApi
from airflow_cloudtasks.values import request_id

AlreadyEnded = Literal["fail", "ok"]
"""What becomes of a task that cannot be canceled because it has ended: an error, or nothing."""


class Cancels(Protocol):
    """The part of a hook that canceling needs."""

    def call(self, service: Service, action: Action, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Call an action and return its answer."""

    def read_task(self, api: TaskApi, cloud_task_id: str, api_params: Mapping[str, Any] | None) -> CloudTask:
        """Return a task."""

    def cancel_requests(self, api: TaskApi, ids: Sequence[str], known: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the parameters of each request that cancels tasks."""


def cancel_each(
    hook: Cancels,
    api: TaskApi,
    ids: Sequence[str],
    known: Mapping[str, Any],
    already_ended: AlreadyEnded,
) -> list[str]:
    """Cancel tasks, and return the ids of those that had ended already.

    No API documents the answer for a task that has ended. So after a refusal, the task is read: its state tells whether
    it has ended.

    Args:
        hook: Hook with the connection of the tasks.
        api: The API of the tasks; it can cancel.
        ids: Ids of the tasks.
        known: The other parameters that identify the tasks, and all other known parameters, in the vendor's spelling.
        already_ended: ``fail`` to raise for a task that has ended, ``ok`` to accept it.

    Raises:
        CloudApiError: One or more tasks were not canceled. All of them have been tried by then.
        InvalidConnection: The Airflow connection cannot be used.
        InvalidArguments: A parameter that the action needs is not known.
    """
    errors: dict[tuple[str, ...], CloudApiError] = {}
    for unclear, error in _cancel(hook, api, ids, known):
        errors[unclear] = _with(errors[unclear], [str(error)]) if unclear in errors else error
    ended: list[str] = []
    if already_ended == "ok":
        for unclear, error in errors.copy().items():
            if not isinstance(error, BadRequest | NotFound):
                continue
            try:
                have_ended = all(_has_ended(hook, api, task_id, known) for task_id in unclear)
            except CloudTasksError as unread:
                errors[unclear] = _with(error, [f"Whether {', '.join(unclear)} has ended could not be read: {unread}"])
                continue
            if have_ended:
                del errors[unclear]
                ended.extend(unclear)
    if errors:
        first, *others = errors.values()
        raise _with(first, dict.fromkeys(f"And: {error}" for error in others if str(error) != str(first)))
    return ended


def check_canceled(cancel: Cancel, answer: Any, ids: Sequence[str]) -> None:
    """Raise if the cloud did not cancel every task of a request.

    Args:
        cancel: How tasks are canceled.
        answer: The answer without its envelope.
        ids: The tasks of the request.

    Raises:
        BadRequest: The cloud did not cancel a task; the text says which one, and why.
    """
    if refused := refused_tasks(cancel, answer, ids):
        raise _refused(cancel, answer, "; ".join(map(str, refused)))


def _cancel(
    hook: Cancels, api: TaskApi, ids: Sequence[str], known: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], CloudApiError]]:
    """Send the requests, and yield each error with the task that it concerns, or with those that it may concern."""
    cancel = api.cancel
    # If the requests need parameters of each task, there is a request for each task.
    one_request = cancel is not None and cancel.many and all(name in known for name in cancel.found)
    for batch in [ids] if one_request else [[task_id] for task_id in ids]:
        try:
            for request in hook.cancel_requests(api, batch, known):
                assert cancel is not None  # noqa: S101 - for the type checker
                answer = hook.call(api.service, cancel.action, request)
                for refusal in refused_tasks(cancel, answer, batch):
                    yield refusal.ids, _refused(cancel, answer, str(refusal))
        except (BadRequest, NotFound) as error:
            if len(batch) == 1:
                yield (batch[0],), error
                continue
            # The cloud may have refused all tasks because of one.
            for task_id in batch:
                yield from _cancel(hook, api, [task_id], known)
        except CloudApiError as error:
            yield from (((task_id,), error) for task_id in batch)


def _refused(cancel: Cancel, answer: Any, why: str) -> BadRequest:
    return BadRequest(
        why,
        code="NotCanceled",
        action=cancel.action.name,
        request_id=request_id(answer),
    )


def _has_ended(hook: Cancels, api: TaskApi, task_id: str, known: Mapping[str, Any]) -> bool:
    try:
        return hook.read_task(api, task_id, api.known_params(known)).done
    except NotFound:
        # The vendor deletes a canceled task of such an API.
        return api.cancel is not None and api.cancel.removes


def _with(error: CloudApiError, more: Iterable[str]) -> CloudApiError:
    return error_from_dict(error.as_dict() | {"message": "\n".join((error.message, *more))})
