"""The trigger that waits for tasks of any API."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from airflow.providers.common.compat.sdk import XCom
from airflow.triggers.base import BaseTrigger, TaskFailedEvent, TaskSkippedEvent, TaskSuccessEvent, TriggerEvent
from jinja2 import Environment, StrictUndefined

from airflow_cloudtasks.catalog import find_api, stored_api
from airflow_cloudtasks.errors import CloudTasksError, InvalidArguments, WaitTimedOut
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.protocol.task_ids import is_many, task_ids
from airflow_cloudtasks.protocol.timestamps import unix_seconds
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.starting.on_kill import OnKill, wait_until_done, was_killed
from airflow_cloudtasks.values import aware
from airflow_cloudtasks.version_compat import CALLS_TRIGGER_ON_KILL, IS_AIRFLOW_2, RETRIES_AFTER_TRIGGER_FAILURE
from airflow_cloudtasks.waiting.explain import aexplain_failures
from airflow_cloudtasks.waiting.group import GroupRules, WaitFor
from airflow_cloudtasks.waiting.outcome import as_event, conclude, is_skip
from airflow_cloudtasks.waiting.verdicts import Broken, Missing, OnFailure, OnUnknown, Verdict, WaitRules

# The trigger ends the wait at the timeout by itself. Should no triggerer be alive to do it, Airflow ends it this much
# later.
TIMEOUT_GRACE = timedelta(minutes=1)

# One for all: a logger of its own for each of ten thousand triggers is memory for nothing.
_log = logging.getLogger(__name__)

_RETURN_VALUE = "return_value"


_Rules = TypeVar("_Rules", WaitRules, GroupRules, StatusOverrides)


@lru_cache(maxsize=1024)
def _shared(rules: _Rules) -> _Rules:
    """Let the thousands of triggers that wait by the same rules hold one copy of them."""
    return rules


class CloudTaskTrigger(BaseTrigger):
    """Waits for a task, or several, and fires one event when the wait is over.

    All triggers of a triggerer that wait on the same API with the same connection and region ask through one poller,
    within what the account is allowed.

    The event's payload is ``{"task": …}`` with the task as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` gives
    it, ``{"error": …}`` with what made waiting useless, ``{"invalid": "…"}`` for a connection or arguments that cannot
    be used, or ``{"timeout": "…"}`` with the last that was seen; for a list of tasks ``{"tasks": […]}`` with one of
    these for each.
    With ``end_from_trigger`` it is the event that ends the Airflow task, but for a timeout, which only a worker can
    tell Airflow not to retry, and before Airflow 3.3 a failure, which only a worker can tell it to retry.

    What the trigger stores is what it is given here; secrets stay in the Airflow connection.

    Args:
        api: A name of the catalog, a TaskApi, or what its ``as_dict`` gave.
        cloud_task_id: The task's id at the vendor, or a list of ids.
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
        on_failure: ``wait`` or ``fail``, for a task that has not ended well.
        created_since: A time, as ISO 8601 or Unix seconds; a task that was created before is waited on.
        tolerate_errors: Whether errors that will not go away by themselves are waited on.
        wait_for: ``all`` or ``any``, for a list of tasks.
        fail_fast: Whether the first task of a list that does not end well ends the wait.
        deadline: Unix seconds when the wait times out; None for ``grace`` seconds before Airflow's own timeout of the
            trigger, or for never, if there is none.
        grace: Only counts without ``deadline``.
        end_from_trigger: Whether the Airflow task ends here, without a worker.
        soft_fail: With ``end_from_trigger``: whether the Airflow task is skipped where the cloud's failed.
        never_fail: With ``end_from_trigger``: whether it is skipped whatever goes wrong.
        do_xcom_push: With ``end_from_trigger``: whether the result is put to XCom.
        cancel: What to cancel where the user kills the Airflow task, as the ``as_dict`` of
            :class:`~airflow_cloudtasks.starting.on_kill.OnKill` gives it; None for nothing.
        carried: What the event is to have besides, as ``carried`` and with ``cancel``, in plain JSON types; None for
            nothing. Of what Airflow's own ``defer`` carries, a DAG that is only tested gets nothing back.
    """

    def __init__(
        self,
        *,
        api: str | TaskApi | Mapping[str, Any],
        cloud_task_id: str | Sequence[str],
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
        on_failure: OnFailure = "fail",
        created_since: str | float | None = None,
        tolerate_errors: bool = False,
        wait_for: WaitFor = "all",
        fail_fast: bool = False,
        deadline: float | None = None,
        grace: float = TIMEOUT_GRACE.total_seconds(),
        end_from_trigger: bool = False,
        soft_fail: bool = False,
        never_fail: bool = False,
        do_xcom_push: bool = True,
        cancel: Mapping[str, Any] | None = None,
        carried: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.api = find_api(api)
        # These seven Airflow renders in the triggerer, when the wait begins there: until then they may hold templates.
        self.cloud_task_id = cloud_task_id
        self.api_params = api_params
        self.conn_id = conn_id
        self.region = region
        self.success_statuses = success_statuses
        self.failure_statuses = failure_statuses
        self.created_since = created_since
        self.rules = _shared(
            WaitRules(
                poke_interval=poke_interval,
                exponential_backoff=exponential_backoff,
                max_wait=max_wait,
                missing=missing,
                on_unknown=on_unknown,
                on_failure=on_failure,
                tolerate_errors=tolerate_errors,
            )
        )
        self.group = _shared(GroupRules(wait_for=wait_for, fail_fast=fail_fast))
        self.deadline = deadline
        self.grace = grace
        self.end_from_trigger = end_from_trigger
        self.soft_fail = soft_fail
        self.never_fail = never_fail
        self.do_xcom_push = do_xcom_push
        self.cancel = cancel
        self.carried = carried
        # What goes on about a kill.
        self._killing: asyncio.Future[None] | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give Airflow what makes this trigger again, in this or another triggerer."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "api": stored_api(self.api),
                "cloud_task_id": self.cloud_task_id,
                "api_params": self.api_params,
                "conn_id": self.conn_id,
                "region": self.region,
                "success_statuses": self.success_statuses,
                "failure_statuses": self.failure_statuses,
                **dataclasses.asdict(self.rules),
                **dataclasses.asdict(self.group),
                "created_since": self.created_since,
                "deadline": self.deadline,
                "grace": self.grace,
                "end_from_trigger": self.end_from_trigger,
                "soft_fail": self.soft_fail,
                "never_fail": self.never_fail,
                "do_xcom_push": self.do_xcom_push,
                "cancel": self.cancel,
                "carried": self.carried,
            },
        )

    def get_template_env(self, dag: Any = None) -> Environment:
        """Refuse what is undefined, as a DAG does: Airflow's triggerer would render it to nothing.

        Args:
            dag: Airflow's; none in the triggerer.
        """
        environment = super().get_template_env(dag)
        environment.undefined = StrictUndefined
        return environment

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and fire the one event."""
        many = is_many(self.cloud_task_id)
        try:
            ends = await self._wait(task_ids(self.cloud_task_id))
        except InvalidArguments as error:
            ends = [Broken(error)]
        except asyncio.CancelledError:
            if self.cancel is not None and not CALLS_TRIGGER_ON_KILL:
                self._killing = asyncio.ensure_future(self._cancel_if_killed())
            raise
        if self.end_from_trigger and (event := await self._end(ends, many=many)) is not None:
            yield event
        else:
            carried = {} if self.carried is None else {"carried": {**self.carried, "cancel": self.cancel}}
            yield TriggerEvent(as_event(ends, many=many) | carried)

    async def on_kill(self) -> None:
        """Cancel the task at the cloud; Airflow calls this where the user has killed the one that waits for it."""
        if self.cancel is not None:
            self._killing = asyncio.ensure_future(self._cancel(self.cancel))
            await asyncio.shield(self._killing)

    async def cleanup(self) -> None:
        """Stay until the task is canceled at the cloud, as Airflow itself does not: it interrupts what takes longer."""
        if self._killing is not None:
            await wait_until_done(self._killing)

    async def _cancel_if_killed(self) -> None:
        if self.cancel is not None and await was_killed(self.task_instance):
            await self._cancel(self.cancel)

    async def _cancel(self, cancel: Mapping[str, Any]) -> None:
        on_kill = OnKill.from_dict(cancel)
        await on_kill.carry_out_async(hook_for(on_kill.api, self.conn_id, self.region))

    def _wait(self, ids: Sequence[str]) -> Awaitable[list[Verdict]]:
        # Here and not above: a DAG that is parsed imports this module, and must not pay for the vendors' SDKs.
        from airflow_cloudtasks.waiting.triggerer.wait import wait_for_tasks

        return wait_for_tasks(
            self.api,
            ids,
            self.api_params,
            conn_id=self.conn_id,
            region=self.region,
            rules=_shared(replace(self.rules, created_since=unix_seconds(self.created_since))),
            overrides=_shared(StatusOverrides.of(self.success_statuses, self.failure_statuses)),
            group=self.group,
            deadline=self._deadline(),
            log=_tell,
        )

    def _deadline(self) -> float | None:
        # Airflow tells the trigger itself since 3.0, and before that the task instance.
        timeout: datetime | None = getattr(self, "timeout_after", None) or getattr(
            self.task_instance, "trigger_timeout", None
        )
        if self.deadline is not None or timeout is None:
            return self.deadline
        return aware(timeout, UTC).timestamp() - self.grace

    async def _end(self, ends: Sequence[Verdict], *, many: bool) -> TriggerEvent | None:
        """Make the event that ends the Airflow task; None where that has to be left to a worker."""
        try:
            hook = hook_for(self.api, self.conn_id, self.region)
            ends = await aexplain_failures(hook, self.api, ends, self.api_params)
            result = conclude(ends, self.group, many=many)
        except CloudTasksError as error:
            if is_skip(error, soft_fail=self.soft_fail, never_fail=self.never_fail):
                self.log.info("Skipped: %s", error)
                return TaskSkippedEvent()
            if isinstance(error, WaitTimedOut):
                return None
            if not RETRIES_AFTER_TRIGGER_FAILURE:
                return None
            self.log.error("%s", error)
            return TaskFailedEvent()
        if not self.do_xcom_push:
            return TaskSuccessEvent()
        try:
            return await self._push(result)
        except Exception as error:  # Airflow's API server, or somebody's XCom backend: a worker is to try it again
            self.log.warning("The result could not be put to XCom (%s); a worker ends the task.", type(error).__name__)
            return None

    async def _push(self, result: Any) -> TriggerEvent:
        """Put the result to XCom as a worker does: those of the event itself Airflow 3 stores as JSON in a string."""
        task = self.task_instance
        if IS_AIRFLOW_2 or task is None:
            return TaskSuccessEvent(xcoms={_RETURN_VALUE: result})
        # Here and not above, as in _wait: it takes a tenth of what a DAG file pays for a sensor.
        from asgiref.sync import sync_to_async

        # In asgiref's thread: from any other, Airflow before 3.3 mixes its request with those of the event loop.
        await sync_to_async(XCom.set)(
            key=_RETURN_VALUE,
            value=result,
            dag_id=task.dag_id,
            task_id=task.task_id,
            run_id=task.run_id,
            map_index=task.map_index,
        )
        return TaskSuccessEvent()


def _tell(line: str) -> None:
    _log.info("%s", line)
