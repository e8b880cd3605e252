"""The trigger that waits for a task of any API."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_cloudtasks.catalog import APIS, find_api
from airflow_cloudtasks.normalise import StatusOverrides
from airflow_cloudtasks.polling.decisions import Broken, Finished, Missing, OnUnknown, Waiting, WaitRules
from airflow_cloudtasks.polling.wait import wait_for_task
from airflow_cloudtasks.spec import TaskApi


class CloudTaskTrigger(BaseTrigger):
    """Waits for a task, and fires one event when the wait is over.

    The event's payload is ``{"task": …}`` with the task as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` gives
    it, ``{"error": …}`` with what made waiting useless, ``{"invalid": "…"}`` for a connection that cannot be used, or
    ``{"timeout": "…"}`` with the last that was seen.

    What the trigger stores is what it is given here; secrets stay in the Airflow connection.

    Args:
        api: A name of the catalog, a TaskApi, or what its ``as_dict`` gave.
        cloud_task_id: The task's id at the vendor.
        api_params: The other parameters that name it, in the vendor's spelling.
        conn_id: The Airflow connection; the cloud's default one if not given.
        region: The region, against the connection's own.
        success_statuses: Statuses that are a success for this wait.
        failure_statuses: Statuses that are a failure for this wait.
        poke_interval: Seconds between two polls.
        exponential_backoff: Whether the interval doubles from poll to poll.
        max_wait: Seconds; no interval is longer.
        missing: ``wait`` or ``fail``, for a task that the cloud does not know.
        on_unknown: ``wait`` or ``fail``, for a status that the catalog does not know.
        tolerate_errors: Whether errors that will not go away by themselves are waited on.
        deadline: Unix seconds when the wait times out; None for never.
    """

    def __init__(
        self,
        *,
        api: str | TaskApi | Mapping[str, Any],
        cloud_task_id: str,
        api_params: Mapping[str, Any] | None = None,
        conn_id: str | None = None,
        region: str | None = None,
        success_statuses: Sequence[str] = (),
        failure_statuses: Sequence[str] = (),
        poke_interval: float = 60.0,
        exponential_backoff: bool = False,
        max_wait: float | None = None,
        missing: Missing = "fail",
        on_unknown: OnUnknown = "wait",
        tolerate_errors: bool = False,
        deadline: float | None = None,
    ) -> None:
        super().__init__()
        self.api = TaskApi.from_dict(api) if isinstance(api, Mapping) else find_api(api)
        self.cloud_task_id = cloud_task_id
        self.api_params = dict(api_params or {})
        self.conn_id = conn_id
        self.region = region
        self.overrides = StatusOverrides(success=tuple(success_statuses), failure=tuple(failure_statuses))
        self.rules = WaitRules(
            poke_interval=poke_interval,
            exponential_backoff=exponential_backoff,
            max_wait=max_wait,
            missing=missing,
            on_unknown=on_unknown,
            tolerate_errors=tolerate_errors,
        )
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give Airflow what makes this trigger again, in this or another triggerer."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "api": self.api.name if APIS.get(self.api.name) == self.api else self.api.as_dict(),
                "cloud_task_id": self.cloud_task_id,
                "api_params": self.api_params,
                "conn_id": self.conn_id,
                "region": self.region,
                "success_statuses": list(self.overrides.success),
                "failure_statuses": list(self.overrides.failure),
                "deadline": self.deadline,
                **dataclasses.asdict(self.rules),
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and fire the one event."""
        # Here and not above: a DAG that is parsed imports this module, and must not pay for the vendors' SDKs.
        from airflow_cloudtasks.hooks.any_cloud import hook_for

        try:
            async with hook_for(self.api, self.conn_id, self.region) as hook:
                ended = await wait_for_task(
                    lambda: hook.aread_task(self.api, self.cloud_task_id, self.api_params, self.overrides),
                    self.rules,
                    self.deadline,
                    self.log,
                )
        except ValueError as error:  # parameters, or an Airflow connection, that cannot be used
            yield TriggerEvent({"invalid": str(error)})
            return
        yield TriggerEvent(_payload(ended))


def _payload(ended: Finished | Broken | Waiting) -> dict[str, Any]:
    match ended:
        case Finished(task):
            return {"task": task.as_dict()}
        case Broken(error):
            return {"error": error.as_dict()}
        case Waiting(why):
            return {"timeout": str(why)}
