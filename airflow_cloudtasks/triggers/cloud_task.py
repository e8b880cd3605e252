"""The trigger for tasks of any API."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.triggers.base import BaseTrigger, TaskFailedEvent, TaskSkippedEvent, TaskSuccessEvent, TriggerEvent
from jinja2 import Environment, StrictUndefined

from airflow_cloudtasks.catalog import find_api, stored_api
from airflow_cloudtasks.errors import CloudTasksError, InvalidArguments, WaitTimedOut
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.links.console import triggerer_links
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.protocol.task_ids import is_many, task_ids
from airflow_cloudtasks.protocol.timestamps import unix_seconds
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.starting.on_kill import OnKill, wait_until_done, was_killed
from airflow_cloudtasks.values import aware
from airflow_cloudtasks.version_compat import CALLS_TRIGGER_ON_KILL, RETRIES_AFTER_TRIGGER_FAILURE
from airflow_cloudtasks.waiting.explain import aexplain_failures, needs_reasons
from airflow_cloudtasks.waiting.group import GroupRules, WaitFor
from airflow_cloudtasks.waiting.limits import LimitName
from airflow_cloudtasks.waiting.outcome import as_event, conclude, is_skip, is_timed_out, seen
from airflow_cloudtasks.waiting.sizes import left_out
from airflow_cloudtasks.waiting.verdicts import Broken, Missing, OnFailure, OnUnknown, Verdict, WaitRules
from airflow_cloudtasks.xcoms.from_trigger import store
from airflow_cloudtasks.xcoms.parts import parts_of

if TYPE_CHECKING:
    from airflow_cloudtasks.model import CloudTask

# The trigger itself ends the wait at its timeout. If no triggerer is alive to do so, Airflow ends the wait this much
# later.
TIMEOUT_GRACE = timedelta(minutes=1)
# Seconds of it that a cancellation may take.
_CANCEL_SECONDS = 30.0

# One logger for all triggers: a logger for each of ten thousand triggers would waste memory.
_log = logging.getLogger(__name__)

_RETURN_VALUE = "return_value"


_Rules = TypeVar("_Rules", WaitRules, GroupRules, StatusOverrides)


@lru_cache(maxsize=1024)
def _shared(rules: _Rules) -> _Rules:
    """Return one shared copy of equal rules, to save memory with thousands of triggers."""
    return rules


class CloudTaskTrigger(BaseTrigger):
    """Wait for one task or several, and fire one event when the wait is over.

    All triggers of a triggerer with the same API, connection and region share one dispatcher, which keeps to the
    account's allowance of requests.

    The event's payload is one of these, or ``{"tasks": […]}`` with one of these for each task of a list:

    - ``{"task": …}``: the task as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` returns it.
    - ``{"error": …}``: the error that polling again would not mend.
    - ``{"invalid": "…"}``: why the connection or the arguments cannot be used.
    - ``{"timeout": "…"}``: what was last seen before the deadline.

    With ``end_from_trigger``, the event ends the Airflow task without a worker, with three exceptions. After a
    timeout, only a worker can tell Airflow not to retry. Before Airflow 3.3, only a worker can let Airflow retry a
    failure. Without a triggerer, as in ``dag.test()``, every event resumes the task.

    The trigger stores its arguments in Airflow's database. Secrets stay in the Airflow connection.

    Args:
        api: A name in the catalog, a TaskApi, or the result of its ``as_dict``.
        cloud_task_id: Id of the task at the vendor, or a list of ids.
        api_params: The other parameters that identify the task, in the vendor's spelling.
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; overrides the connection's region.
        success_statuses: Statuses that count as success for this wait.
        failure_statuses: Statuses that count as failure for this wait.
        poke_interval: Seconds between two polls.
        exponential_backoff: Whether the interval doubles with each poll.
        max_wait: Longest interval, in seconds; None for no limit.
        missing: What to do while the cloud does not know the task: ``wait`` or ``fail``.
        on_unknown: What to do while the catalog does not know the status: ``wait`` or ``fail``.
        on_failure: What to do if the task did not succeed: ``wait`` or ``fail``.
        created_since: ISO 8601, in the API's zone if it names none, or Unix seconds. A task created earlier does not
            count: the trigger waits for a newer one.
        ended_since: Unix seconds. If tasks of the API run again, an earlier end is that of an earlier run; None for no
            such time.
        tolerate_errors: Whether to keep waiting after errors that polling again would not mend.
        wait_for: For a list: ``all`` or ``any``.
        fail_fast: For a list: whether the first task that does not succeed ends the wait.
        deadline: Unix seconds when the wait times out. None for ``grace`` seconds before Airflow's own timeout of the
            trigger, or for never if Airflow has none.
        grace: Seconds; used only without ``deadline``.
        limit: Which limit of the try the deadline comes from. No flag turns the end of an ``execution_timeout`` into a
            skip.
        end_from_trigger: Whether the Airflow task ends here, without a worker.
        soft_fail: With ``end_from_trigger``: whether to skip the Airflow task if the cloud task failed.
        never_fail: With ``end_from_trigger``: whether to skip the Airflow task after any error.
        do_xcom_push: With ``end_from_trigger``: whether to store the result as XCom.
        multiple_outputs: With ``end_from_trigger``: whether to store each part of the result as XCom, too.
        keep_link: Whether to store the address of the extra link, because no worker has done so.
        cancel: What to cancel at the deadline, or if the user kills the Airflow task, as ``as_dict`` of
            :class:`~airflow_cloudtasks.starting.on_kill.OnKill` returns it; None for nothing.
        carried: Plain JSON types that the event returns under ``carried``, together with ``cancel``, and whether the
            trigger has canceled that at the deadline (``is_canceled``); None for nothing. Airflow's own ``defer`` does
            not return its keyword arguments when a DAG is only tested.
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
        ended_since: float | None = None,
        tolerate_errors: bool = False,
        wait_for: WaitFor = "all",
        fail_fast: bool = False,
        deadline: float | None = None,
        grace: float = TIMEOUT_GRACE.total_seconds(),
        limit: LimitName = "timeout",
        end_from_trigger: bool = False,
        soft_fail: bool = False,
        never_fail: bool = False,
        do_xcom_push: bool = True,
        multiple_outputs: bool = False,
        keep_link: bool = False,
        cancel: Mapping[str, Any] | None = None,
        carried: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.api = find_api(api)
        # These seven may hold templates until Airflow renders them, if the wait begins in the triggerer.
        self.cloud_task_id = cloud_task_id
        self.api_params = api_params
        self.conn_id = conn_id
        self.region = region
        self.success_statuses = success_statuses
        self.failure_statuses = failure_statuses
        self.created_since = created_since
        self.ended_since = ended_since
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
        self.limit = limit
        self.end_from_trigger = end_from_trigger
        self.soft_fail = soft_fail
        self.never_fail = never_fail
        self.do_xcom_push = do_xcom_push
        self.multiple_outputs = multiple_outputs
        self.keep_link = keep_link
        self.cancel = cancel
        self.carried = carried
        self._has_link = False
        # The cancellation that a kill, or the deadline, began.
        self._killing: asyncio.Future[bool] | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments from which any triggerer can rebuild this trigger."""
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
                "ended_since": self.ended_since,
                "deadline": self.deadline,
                "grace": self.grace,
                "limit": self.limit,
                "end_from_trigger": self.end_from_trigger,
                "soft_fail": self.soft_fail,
                "never_fail": self.never_fail,
                "do_xcom_push": self.do_xcom_push,
                "multiple_outputs": self.multiple_outputs,
                "keep_link": self.keep_link,
                "cancel": self.cancel,
                "carried": self.carried,
            },
        )

    def get_template_env(self, dag: Any = None) -> Environment:
        """Return a Jinja environment that raises on undefined names, as in a DAG.

        Airflow's triggerer would render an undefined name to an empty string.

        Args:
            dag: The DAG; None in the triggerer.
        """
        environment = super().get_template_env(dag)
        environment.undefined = StrictUndefined
        return environment

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and yield one event."""
        many = is_many(self.cloud_task_id)
        is_canceled = False
        try:
            async with self._keeping_link():
                verdicts = await self._wait(task_ids(self.cloud_task_id, self.api))
            if is_timed_out(verdicts):
                is_canceled = await self._cancel_at_timeout()
        except InvalidArguments as error:
            verdicts = [Broken(error)]
        except asyncio.CancelledError:
            if self.cancel is not None and self._killing is None and not CALLS_TRIGGER_ON_KILL:
                # The triggerer may only be stopping: another one goes on with the wait.
                self._killing = asyncio.ensure_future(self._cancel_if_killed(assumed=False))
            raise
        # dag.test() and `airflow tasks test` run the trigger without a task instance, and take every event for one that
        # resumes the task.
        ends_here = self.end_from_trigger and self.task_instance is not None
        if ends_here and (event := await self._end(verdicts, many=many)) is not None:
            yield event
        else:
            carried = {**(self.carried or {}), "cancel": self.cancel, "is_canceled": is_canceled}
            yield TriggerEvent(as_event(verdicts, many=many) | ({} if self.carried is None else {"carried": carried}))

    async def on_kill(self) -> None:
        """Cancel the cloud task; Airflow calls this after the user has killed or cleared the Airflow task."""
        if self.cancel is not None:
            self._killing = asyncio.ensure_future(self._cancel_if_killed(assumed=True))
            await asyncio.shield(self._killing)

    async def cleanup(self) -> None:
        """Wait until the cloud task is canceled; Airflow itself would interrupt a longer cancellation."""
        if self._killing is not None:
            await wait_until_done(self._killing)

    async def _cancel_if_killed(self, *, assumed: bool) -> bool:
        if self.cancel is None or not await was_killed(self.task_instance, assumed=assumed):
            return False
        return await self._cancel(self.cancel)

    async def _cancel_at_timeout(self) -> bool:
        """Cancel the cloud task, and return whether that was done in time; otherwise a worker tries again."""
        if self.cancel is None:
            return False
        self._killing = asyncio.ensure_future(self._cancel(self.cancel))
        # Not wait_for: if Airflow stops the trigger, cleanup waits for the cancellation.
        done, _ = await asyncio.wait({self._killing}, timeout=_CANCEL_SECONDS)
        return bool(done) and self._killing.exception() is None and self._killing.result()

    async def _cancel(self, cancel: Mapping[str, Any]) -> bool:
        from airflow_cloudtasks.waiting.triggerer.gated_hook import gated_hook  # as in _wait

        on_kill = OnKill.from_dict(cancel)
        async with gated_hook(on_kill.api, self.conn_id, self.region) as hook:
            return await on_kill.carry_out_async(hook)

    def _wait(self, ids: Sequence[str]) -> Awaitable[list[Verdict]]:
        # Import here: parsing a DAG file imports this module, and must not import the vendors' SDKs.
        from airflow_cloudtasks.waiting.triggerer.wait import wait_for_tasks

        return wait_for_tasks(
            self.api,
            ids,
            self.api_params,
            conn_id=self.conn_id,
            region=self.region,
            rules=_shared(replace(self.rules, created_since=unix_seconds(self.created_since, self.api))),
            overrides=_shared(StatusOverrides.of(self.success_statuses, self.failure_statuses, self.ended_since)),
            group=self.group,
            deadline=self._deadline(),
            log=_log_line,
        )

    def _deadline(self) -> float | None:
        # Airflow 3 sets the timeout on the trigger, Airflow 2 on the task instance.
        timeout: datetime | None = getattr(self, "timeout_after", None) or getattr(
            self.task_instance, "trigger_timeout", None
        )
        if self.deadline is not None or timeout is None:
            return self.deadline
        return aware(timeout, UTC).timestamp() - self.grace

    async def _end(self, verdicts: Sequence[Verdict], *, many: bool) -> TriggerEvent | None:
        """Return the event that ends the Airflow task; None if a worker has to end it."""
        if needs_reasons(verdicts):
            verdicts = await self._with_reasons(verdicts)
        try:
            await self._keep_last_link(verdicts)
            result = conclude(verdicts, self.group, many=many)
        except CloudTasksError as error:
            if isinstance(error, WaitTimedOut) and self.limit == "execution_timeout":
                return None
            if is_skip(error, soft_fail=self.soft_fail, never_fail=self.never_fail):
                self.log.info("Skipped: %s", error)
                return TaskSkippedEvent()
            if isinstance(error, WaitTimedOut) or not RETRIES_AFTER_TRIGGER_FAILURE:
                return None
            self.log.error("%s", error)
            return TaskFailedEvent()
        for line in left_out(verdicts):
            self.log.warning(line)
        if self.do_xcom_push:
            try:
                await store(self.task_instance, self._xcoms(result))
            except Exception as error:  # from Airflow's API server or any XCom backend; a worker tries again
                self.log.warning(
                    "The result could not be stored as XCom (%s); a worker ends the task.", type(error).__name__
                )
                return None
        return TaskSuccessEvent()

    async def _with_reasons(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        from airflow_cloudtasks.waiting.triggerer.gated_hook import gated_hook  # as in _wait

        async with gated_hook(self.api, self.conn_id, self.region) as hook:
            return await aexplain_failures(hook, self.api, verdicts, self.api_params)

    def _xcoms(self, result: Any) -> dict[str, Any]:
        """Return what a worker stores: the parts, then the result."""
        return (parts_of(result) if self.multiple_outputs else {}) | {_RETURN_VALUE: result}

    @asynccontextmanager
    async def _keeping_link(self) -> AsyncIterator[None]:
        """Store the extra link's address meanwhile, if no worker has."""
        if not self.keep_link or self.task_instance is None:
            yield
            return
        keeping = asyncio.ensure_future(self._keep_first_link())
        try:
            yield
        finally:
            keeping.cancel()

    async def _keep_first_link(self) -> None:
        async with triggerer_links.get().turns:
            await self._keep_link_of([])
        self._has_link = True

    async def _keep_last_link(self, verdicts: Sequence[Verdict]) -> None:
        """Store the address of the first task that has one, or of the product's page if there is no link yet."""
        tasks = [task for verdict in verdicts if (task := seen(verdict)) is not None and task.console_url]
        if tasks or (self.keep_link and not self._has_link):
            await self._keep_link_of(tasks)

    async def _keep_link_of(self, tasks: Sequence[CloudTask]) -> None:
        hook = hook_for(self.api, self.conn_id, self.region)
        await triggerer_links.get().keep(self.task_instance, hook, self.api, tasks)


def _log_line(line: str) -> None:
    _log.info("%s", line)
