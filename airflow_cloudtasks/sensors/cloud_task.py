"""The sensor for tasks of any API."""

from __future__ import annotations

import time
import warnings
from collections import ChainMap
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.exceptions import AirflowRescheduleException
from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)
from airflow.triggers.base import StartTriggerArgs

from airflow_cloudtasks.catalog import stored_api
from airflow_cloudtasks.errors import CloudTasksError, WaitTimedOut
from airflow_cloudtasks.lineage.emitting import EmitsLineage
from airflow_cloudtasks.links.console import CloudConsoleLink, keep_link
from airflow_cloudtasks.operators._task_arguments import TaskArguments, is_pending
from airflow_cloudtasks.operators._time_limits import TimeLimited
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.protocol.task_ids import is_many
from airflow_cloudtasks.protocol.timestamps import check_shows_creation, unix_seconds
from airflow_cloudtasks.sensors._listeners import has_listeners
from airflow_cloudtasks.sensors._start_from_trigger import check_airflow_can, renders_by_default, why_not
from airflow_cloudtasks.triggers.cloud_task import TIMEOUT_GRACE, CloudTaskTrigger
from airflow_cloudtasks.waiting.airflow_try import current_try
from airflow_cloudtasks.waiting.backoff import next_delay
from airflow_cloudtasks.waiting.explain import explain_failures
from airflow_cloudtasks.waiting.group import GroupRules, WaitFor
from airflow_cloudtasks.waiting.limits import TimeLimits, seconds
from airflow_cloudtasks.waiting.outcome import as_event, conclude, from_event, is_skip, seen
from airflow_cloudtasks.waiting.sizes import left_out
from airflow_cloudtasks.waiting.verdicts import Finished, Missing, OnFailure, OnUnknown, Verdict, Waiting, WaitRules
from airflow_cloudtasks.waiting.worker import WorkerWait
from airflow_cloudtasks.xcoms.parts import push_parts

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.spec import TaskApi

# Airflow takes a task for killed if it is queued again before the scheduler has read the end of its last run. So wait
# in the worker if the last poll is nearer than this.
_LEAST_RESCHEDULE_SECONDS = 10.0


class CloudTaskSensor(TimeLimited, TaskArguments, EmitsLineage, BaseSensorOperator):
    """Wait for one task of any API, or for several, and return them once they have ended.

    Poke, reschedule and deferrable mode return the same result, raise the same exceptions, and apply ``timeout``,
    ``execution_timeout``, ``exponential_backoff`` and ``soft_fail`` alike. A throttled or failed poll never ends the
    wait.

    Args:
        api: A name in the catalog, e.g. ``wedata.task``, or your own TaskApi.
        cloud_task_id: Id of the task at the vendor, or a list of ids (templated). A list is one wait, in one Airflow
            task and, while deferred, in one trigger.
        api_params: The other parameters that identify the task, in the vendor's spelling, e.g.
            ``{"ProjectId": "24…"}`` (templated).
        conn_id: Id of the Airflow connection; None for ``alibaba_default`` or ``tencent_default`` (templated).
        region: Region id; overrides the connection's region (templated).
        wait_for: For a list: ``all`` waits for every task, ``any`` for the first task that succeeds.
        fail_fast: For a list: whether the first task that does not succeed ends the wait. Otherwise the sensor waits
            for all tasks, and the error names each task that did not succeed.
        deferrable: Whether to wait in the triggerer, which occupies no worker slot. The default is Airflow's
            ``[operators] default_deferrable``. A deferrable wait ignores ``mode``.
        start_from_trigger: Whether the wait also begins in the triggerer (Airflow 3.3 and newer). If the triggerer
            could not render the arguments, the wait begins on a worker, and a warning says why.
        end_from_trigger: Whether the wait also ends in the triggerer. Only a timeout then needs a worker, for a
            moment. Airflow calls no listeners for a task that ends this way. If a plugin has one, the wait ends on a
            worker, and a warning says so.
        poke_interval: Time between two polls, in seconds or as a timedelta.
        exponential_backoff: Whether the interval doubles with each poll. It never exceeds ``max_wait`` or the time that
            is left.
        max_wait: Longest interval, in seconds or as a timedelta; None for no limit.
        timeout: Longest wait of one try, from its start, in seconds or as a timedelta. Airflow does not retry a sensor
            that has timed out. None for Airflow's ``[sensors] default_timeout``, by default 7 days. To limit a try in
            such a way that Airflow retries it, use Airflow's ``execution_timeout``.
        missing: What to do while the cloud does not know the task: ``fail`` at once, or ``wait``.
        on_unknown: What to do while the catalog does not know the task's status: ``wait``, or ``fail`` at once.
        on_failure: What to do if the task did not succeed: ``fail``, or ``wait`` until a rerun succeeds.
        created_since: A datetime, a date, ISO 8601 or Unix seconds; a time without a zone is in the API's zone. A task
            created earlier does not count: the sensor waits for a newer one. Only for APIs whose answers tell when a
            task was created (templated).
        success_statuses: Statuses of the vendor that count as success for this wait, whatever the catalog says
            (templated).
        failure_statuses: Statuses of the vendor that count as failure for this wait (templated).
        **kwargs: Arguments of Airflow's BaseSensorOperator: ``mode``, ``soft_fail``, ``silent_fail``, ``never_fail``,
            ``execution_timeout``, ``retries``, …

    Returns:
        The normalised task as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` returns it; Airflow stores it as
        XCom. For a list of ids, the tasks in the same order. A task that had not ended when the wait was over appears
        as last seen, or as None.

    Raises:
        ValueError: At parse time, if an argument is wrong; the text says which one, and what is expected.
        CloudTaskFailed: The task ended in failed, canceled or expired. With ``soft_fail`` a skip instead.
        AirflowSensorTimeout: The task had not ended within ``timeout``. With ``soft_fail`` a skip instead.
        AirflowTaskTimeout: The task had not ended within ``execution_timeout``, also with ``soft_fail``.
        CloudApiError: The cloud refuses to answer: wrong keys, no permission, no such task, bad parameters.
        InvalidConnection: The Airflow connection cannot be used.
        InvalidArguments: A rendered template, or another task's output, does not identify a task.
    """

    template_fields: Collection[str] = (
        *TaskArguments.template_fields,
        "success_statuses",
        "failure_statuses",
        "created_since",
    )
    operator_extra_links = (CloudConsoleLink(),)
    ui_color = "#e8eef9"

    def __init__(
        self,
        *,
        api: str | TaskApi,
        cloud_task_id: Any,
        api_params: Mapping[str, Any] | None = None,
        conn_id: str | None = None,
        region: str | None = None,
        wait_for: WaitFor = "all",
        fail_fast: bool = False,
        deferrable: bool | None = None,
        start_from_trigger: bool = False,
        end_from_trigger: bool = False,
        poke_interval: float | timedelta = 60.0,
        exponential_backoff: bool = False,
        max_wait: float | timedelta | None = None,
        timeout: float | timedelta | None = None,
        missing: Missing = "fail",
        on_unknown: OnUnknown = "wait",
        on_failure: OnFailure = "fail",
        created_since: Any = None,
        success_statuses: Sequence[str] = (),
        failure_statuses: Sequence[str] = (),
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            poke_interval=seconds("poke_interval", poke_interval),
            exponential_backoff=exponential_backoff,
            max_wait=None if max_wait is None else seconds("max_wait", max_wait),
            timeout=seconds("timeout", conf.getfloat("sensors", "default_timeout") if timeout is None else timeout),
            **kwargs,
        )
        self.name_task(api, cloud_task_id, api_params, conn_id, region)
        # What another task returned may be one id or a list of ids.
        self.multiple_outputs = multiple_outputs and (is_pending(cloud_task_id) or not is_many(cloud_task_id))
        if deferrable is False and (start_from_trigger or end_from_trigger):
            raise ValueError("start_from_trigger and end_from_trigger wait in the triggerer: leave deferrable out.")
        if deferrable is None:
            by_default = conf.getboolean("operators", "default_deferrable", fallback=False)
            deferrable = start_from_trigger or end_from_trigger or by_default
        self.deferrable = deferrable
        self.end_from_trigger = end_from_trigger and self._may_end_from_trigger()
        self.missing = missing
        self.on_unknown = on_unknown
        self.on_failure = on_failure
        # Keep it as text, which a trigger can store.
        self.created_since = created_since.isoformat() if isinstance(created_since, date) else created_since
        if created_since is not None:
            check_shows_creation(self.api)
        if not is_pending(created_since):
            unix_seconds(created_since, self.api)
        self.success_statuses = success_statuses
        self.failure_statuses = failure_statuses
        self.group = GroupRules(wait_for=wait_for, fail_fast=fail_fast)
        self._rules()
        for name, statuses in (("success_statuses", success_statuses), ("failure_statuses", failure_statuses)):
            if isinstance(statuses, str):
                raise ValueError(f"{name} is {statuses!r}; expected a list of statuses, e.g. [{statuses!r}].")
        if isinstance(success_statuses, list | tuple) and isinstance(failure_statuses, list | tuple):
            self._overrides()
        if start_from_trigger:
            self._start_from_trigger()
        # The wait of the current run, kept between pokes.
        self._wait: WorkerWait | None = None

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Return the partial of a mapped sensor, as for any operator."""
        mapped = super().partial(**kwargs)
        owners = (mapped.kwargs.get("task_group"), mapped.kwargs.get("dag"))
        defaults = (kwargs.get("default_args"), *(getattr(owner, "default_args", None) for owner in owners))
        # Airflow would create a mapped task's trigger without the mapped arguments.
        if ChainMap(kwargs, *filter(None, defaults)).get("start_from_trigger"):
            check_airflow_can()
            _warn(mapped.kwargs["task_id"], "a mapped task begins on a worker only")
            mapped.kwargs |= {"start_from_trigger": False, "deferrable": True}
        return mapped

    def execute(self, context: Context) -> Any:
        """Wait in the worker or, if ``deferrable`` and the first poll does not end the wait, in the triggerer."""
        self._wait = None
        with self._airflow_errors():
            ids, overrides, rules = self.named_ids(), self._overrides(), self._rules_now()
            this_try = current_try(context, reschedules=self.reschedule and not self.deferrable)
            limits = self._limits(this_try.started_at)
            if not self.deferrable:
                return self._conclude(context, self._wait_in_worker(context, rules, limits, this_try.reschedules))
            is_over, verdicts = self._poll(context)
            if is_over or limits.seconds_left(time.time()) <= 0:
                return self._conclude(context, verdicts)
        keep_link(context, self._hook_in_use(), self.api, [])
        return self._defer_within(
            limits,
            CloudTaskTrigger(
                **self._trigger_arguments()
                | {
                    "cloud_task_id": list(ids) if is_many(self.cloud_task_id) else ids[0],
                    "success_statuses": list(overrides.success),
                    "failure_statuses": list(overrides.failure),
                    "created_since": rules.created_since,
                    "deadline": limits.deadline,
                }
            ),
        )

    def poke(self, context: Context) -> PokeReturnValue:
        """Read each task that has not ended once.

        Returns:
            Whether the wait is over and, if so, the event that :meth:`execute_complete` takes.
        """
        if self._wait is None:
            self._wait = WorkerWait(
                self.hook(),
                self.api,
                self.named_ids(),
                self.api_params,
                rules=self._rules_now(),
                overrides=self._overrides(),
                group=self.group,
                log=self.log.info,
            )
        if not self._wait.read(before_deferring=self.deferrable):
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=as_event(self._wait.seen, many=is_many(self.cloud_task_id)))

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:
        """End a deferred wait in a worker.

        Args:
            context: Airflow's context.
            event: Payload of the event that :class:`~airflow_cloudtasks.triggers.cloud_task.CloudTaskTrigger` fired.
        """
        with self._airflow_errors():
            return self._conclude(context, from_event(event))

    def _end_unwatched_wait(self, context: Context) -> Any:
        """Poll once more, as a triggerer that comes late does: return the result of a wait that is over, or time out.

        Args:
            context: Airflow's context.
        """
        self._wait = None
        with self._airflow_errors():
            _, verdicts = self._poll(context)
            return self._conclude(context, verdicts)

    def _poll(self, context: Context) -> tuple[bool, Sequence[Verdict]]:
        """Poll once, and return whether the wait is over and what was seen."""
        if poked := self.poke(context):
            return True, from_event(poked.xcom_value or {})
        return False, self._wait.seen if self._wait is not None else [Waiting(None)]

    def _wait_in_worker(self, context: Context, rules: WaitRules, limits: TimeLimits, polls: int) -> Sequence[Verdict]:
        """Poll until the wait is over or the deadline has passed; reschedule mode gives the worker back in between.

        Not Airflow's own loop: its back-off may exceed the time that is left, and its time begins with the first poke.
        """
        while True:
            is_over, verdicts = self._poll(context)
            polls += 1
            seconds_left = limits.seconds_left(time.time())
            if is_over or seconds_left <= 0:
                return verdicts
            delay = next_delay(rules, polls, seconds_left)
            is_last_and_near = seconds_left <= delay < _LEAST_RESCHEDULE_SECONDS
            if self.reschedule and not is_last_and_near:
                raise AirflowRescheduleException(datetime.now(UTC) + timedelta(seconds=delay))  # type: ignore[no-untyped-call]
            time.sleep(delay)

    def _hook_in_use(self) -> CloudTasksHook:
        return self.hook() if self._wait is None else self._wait.hook

    def _conclude(self, context: Context, verdicts: Sequence[Verdict]) -> Any:
        """Return the result of the wait, or raise its error."""
        hook = self._hook_in_use()
        verdicts = explain_failures(hook, self.api, verdicts, self.api_params)
        self._tasks_for_lineage = [task for verdict in verdicts if (task := seen(verdict)) is not None]
        keep_link(context, hook, self.api, self._tasks_for_lineage)
        result = conclude(verdicts, self.group, many=is_many(self.cloud_task_id))
        for verdict in verdicts:
            if isinstance(verdict, Finished):
                self.log.info("%s", verdict.task)
        for line in left_out(verdicts):
            self.log.warning(line)
        push_parts(self, context, result)
        return result

    @contextmanager
    def _airflow_errors(self) -> Iterator[None]:
        """Raise what Airflow expects, and apply ``soft_fail`` and ``never_fail`` alike in every mode."""
        try:
            yield
        except CloudTasksError as error:
            limits = self._limits(started_at=0.0)
            text = str(error)
            if isinstance(error, WaitTimedOut):
                text = f"Sensor has timed out after the specified {limits}; {error}"
                if limits.binding == "execution_timeout":
                    # As from Airflow's own timer, which no flag of a sensor turns into a skip.
                    raise AirflowTaskTimeout(text) from None
            if is_skip(error, soft_fail=self.soft_fail, never_fail=self.never_fail):
                raise AirflowSkipException(text) from error
            if isinstance(error, WaitTimedOut):
                raise AirflowSensorTimeout(text) from None
            raise

    def _may_end_from_trigger(self) -> bool:
        """Return whether Airflow takes a DAG whose tasks end in the triggerer; warn if it does not."""
        # Loads Airflow's plugins, so only a sensor that needs it does.
        if not has_listeners():
            return True
        warnings.warn(
            f"{self.task_id}: the wait ends on a worker despite end_from_trigger, because this Airflow has a plugin "
            "with a listener, e.g. OpenLineage's, and calls listeners on workers only.",
            stacklevel=3,
        )
        return False

    def _start_from_trigger(self) -> None:
        """Let the scheduler pass the task to the triggerer, if the triggerer can render its templates."""
        check_airflow_can()
        if (reason := why_not(self._templated(), by_default=renders_by_default(self))) is not None:
            _warn(self.task_id, reason)
            return
        wait = timedelta(seconds=self._limits(started_at=0.0).seconds)
        # Airflow passes only its own limit on to the trigger, which subtracts the grace to get the wait's deadline.
        limit = min(wait + TIMEOUT_GRACE, self.execution_timeout or timedelta.max)
        self.start_from_trigger = True
        self.start_trigger_args = StartTriggerArgs(
            trigger_cls=f"{CloudTaskTrigger.__module__}.{CloudTaskTrigger.__qualname__}",
            trigger_kwargs=self._trigger_arguments() | {"grace": (limit - wait).total_seconds(), "keep_link": True},
            next_method="execute_complete",
            timeout=limit,
        )

    def _templated(self) -> dict[str, Any]:
        # Leave out template fields of subclasses, which the trigger does not take.
        return {name: getattr(self, name) for name in CloudTaskSensor.template_fields}

    def _trigger_arguments(self) -> dict[str, Any]:
        """Return the trigger's arguments; each templated argument has the same name here and there."""
        rules = self._rules()
        return {
            **self._templated(),
            "api": stored_api(self.api),
            "poke_interval": self.poke_interval,
            "exponential_backoff": rules.exponential_backoff,
            "max_wait": rules.max_wait,
            "missing": self.missing,
            "on_unknown": self.on_unknown,
            "on_failure": self.on_failure,
            "tolerate_errors": rules.tolerate_errors,
            "limit": self._limits(started_at=0.0).binding,
            "wait_for": self.group.wait_for,
            "fail_fast": self.group.fail_fast,
            "end_from_trigger": self.end_from_trigger,
            "soft_fail": self.soft_fail,
            "never_fail": self.never_fail,
            "do_xcom_push": self.do_xcom_push,
            "multiple_outputs": self.multiple_outputs,
        }

    def _overrides(self) -> StatusOverrides:
        return StatusOverrides.of(self.success_statuses, self.failure_statuses)

    def _rules_now(self) -> WaitRules:
        """Return the rules after Airflow has rendered the templates."""
        return replace(self._rules(), created_since=unix_seconds(self.created_since, self.api))

    def _rules(self) -> WaitRules:
        return WaitRules(
            poke_interval=self.poke_interval,
            exponential_backoff=self.exponential_backoff,
            max_wait=self.max_wait.total_seconds() if self.max_wait else None,
            missing=self.missing,
            on_unknown=self.on_unknown,
            on_failure=self.on_failure,
            tolerate_errors=self.silent_fail,
        )


def _warn(task_id: Any, reason: str) -> None:
    warnings.warn(f"{task_id}: the wait begins on a worker despite start_from_trigger, because {reason}.", stacklevel=3)
