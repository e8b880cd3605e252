"""Cancel the cloud's task when the user kills the Airflow task that started it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from airflow_cloudtasks.catalog import find_api, stored_api
from airflow_cloudtasks.errors import CloudTasksError
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook

_log = logging.getLogger(__name__)

# Airflow resumes the task from these states: after the event of a trigger, or with a retry because it took a worker for
# dead. So the user did not kill it. (The user may have cleared it; then its next run continues with the cloud's task.)
_RESUMED_STATES = frozenset({"deferred", "scheduled", "queued", "running", "up_for_retry"})

# Seconds that Airflow allows a trigger's on_kill.
_MOST_SECONDS = 30.0


# Why a task is not canceled that a look-up found, although the vendor can cancel it.
FOUND_ONLY = (
    "it was only found by its parameters and may be another's. Cancel it in the vendor's console if it is yours."
)


@dataclass(frozen=True, slots=True)
class OnKill:
    """The requests that cancel tasks. They are prepared at the start, because a kill leaves no time to read anything.

    Args:
        api: The API of the tasks.
        ids: Their ids.
        requests: The parameters of each request; empty if the tasks cannot be canceled.
        is_ours: Whether the Airflow task surely started the tasks. Otherwise there are no requests.
    """

    api: TaskApi
    ids: tuple[str, ...]
    requests: tuple[Mapping[str, Any], ...]
    is_ours: bool = True

    @classmethod
    def of(
        cls,
        hook: CloudTasksHook,
        api: TaskApi,
        ids: Sequence[str],
        known: Mapping[str, Any],
        *,
        is_ours: bool = True,
    ) -> Self:
        """Return the requests that cancel tasks.

        Args:
            hook: Calls the cloud, if a parameter has to be read.
            api: The API of the tasks.
            ids: Their ids.
            known: The parameters that identify them, and all other known parameters.
            is_ours: Whether the Airflow task surely started them.

        Raises:
            CloudApiError: A parameter could not be read.
            InvalidArguments: A parameter is not known.
        """
        requests = hook.cancel_requests(api, ids, known) if api.cancel and is_ours else ()
        return cls(api, tuple(ids), tuple(requests), is_ours)

    def as_dict(self) -> dict[str, Any]:
        """Return the requests as plain JSON types, for a trigger to store."""
        return {
            "api": stored_api(self.api),
            "ids": list(self.ids),
            "requests": [*map(dict, self.requests)],
            "is_ours": self.is_ours,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild the requests from the result of :meth:`as_dict`, also of an earlier version."""
        return cls(find_api(data["api"]), tuple(data["ids"]), tuple(data["requests"]), data.get("is_ours", True))

    def carry_out(self, hook: CloudTasksHook) -> bool:
        """Cancel the tasks. Log errors, because no caller can handle them.

        Args:
            hook: Calls the cloud.

        Returns:
            Whether all tasks have been canceled.
        """
        self._log_if_not_cancelable()
        canceled = bool(self.requests)
        for request in self.requests:
            try:
                hook.cancel(self.api, request)
                self._log_canceled()
            except CloudTasksError as error:
                self._log_failed(error)
                canceled = False
        return canceled

    async def carry_out_async(self, hook: CloudTasksHook) -> None:
        """Cancel the tasks, like :meth:`carry_out`, without blocking the event loop."""
        self._log_if_not_cancelable()
        for request in self.requests:
            try:
                await hook.acancel(self.api, request)
                self._log_canceled()
            except CloudTasksError as error:
                self._log_failed(error)

    @property
    def _label(self) -> str:
        return f"{self.api.name} {', '.join(self.ids)}"

    def _log_if_not_cancelable(self) -> None:
        if not self.is_ours:
            _log.warning("%s goes on: %s", self._label, FOUND_ONLY)
        elif not self.requests:
            product = self.api.service.product
            _log.warning("%s goes on: %s has no action that cancels such a task.", self._label, product)

    def _log_canceled(self) -> None:
        _log.info("Canceled %s at the cloud.", self._label)

    def _log_failed(self, error: CloudTasksError) -> None:
        _log.error("%s could not be canceled, and may go on: %s", self._label, error)


async def wait_until_done(work: asyncio.Future[None]) -> None:
    """Wait until the work on a kill is done, at most 30 seconds. Airflow cancels a killed trigger every second.

    Args:
        work: The work.
    """
    deadline = time.monotonic() + _MOST_SECONDS
    while not work.done():
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            if work.cancelled() or time.monotonic() > deadline:
                raise


async def was_killed(task_instance: Any) -> bool:
    """Return whether the user has ended the Airflow task. Older Airflow cancels a trigger for other reasons too.

    Args:
        task_instance: The trigger's task instance.
    """
    # Imported here because parsing a DAG imports this module.
    from asgiref.sync import sync_to_async

    state = await sync_to_async(_state_from_database if IS_AIRFLOW_2 else _state_from_api_server)(task_instance)
    return state not in _RESUMED_STATES


def _state_from_api_server(task_instance: Any) -> str | None:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    states = RuntimeTaskInstance.get_task_states(
        dag_id=task_instance.dag_id,
        task_ids=[task_instance.task_id],
        run_ids=[task_instance.run_id],
        map_index=task_instance.map_index,
    )
    of_run = states.get(task_instance.run_id, {})
    return next(iter(of_run.values()), None)


def _state_from_database(task_instance: Any) -> str | None:
    from airflow.models import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        state: str | None = (
            session.query(TaskInstance.state)
            .filter_by(
                dag_id=task_instance.dag_id,
                task_id=task_instance.task_id,
                run_id=task_instance.run_id,
                map_index=task_instance.map_index,
            )
            .scalar()
        )
    return state
