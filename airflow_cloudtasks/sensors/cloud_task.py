"""The sensor that waits for tasks of any API."""

from __future__ import annotations

import time
import warnings
from collections import ChainMap
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)
from airflow.triggers.base import StartTriggerArgs
from jinja2 import StrictUndefined

from airflow_cloudtasks.catalog import stored_api
from airflow_cloudtasks.errors import CloudTasksError, WaitTimedOut
from airflow_cloudtasks.links.console import CloudConsoleLink, keep_link
from airflow_cloudtasks.operators._task_arguments import TaskArguments
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.protocol.task_ids import is_many, task_ids
from airflow_cloudtasks.protocol.timestamps import unix_seconds
from airflow_cloudtasks.sensors._start_from_trigger import check_airflow_can, why_not
from airflow_cloudtasks.triggers.cloud_task import TIMEOUT_GRACE, CloudTaskTrigger
from airflow_cloudtasks.waiting.explain import explain_failures
from airflow_cloudtasks.waiting.group import GroupRules, WaitFor
from airflow_cloudtasks.waiting.outcome import as_event, conclude, from_event, is_skip, seen
from airflow_cloudtasks.waiting.verdicts import Finished, Missing, OnFailure, OnUnknown, Verdict, WaitRules
from airflow_cloudtasks.waiting.worker import WorkerWait

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.spec import TaskApi


class CloudTaskSensor(TaskArguments, BaseSensorOperator):
    """Waits for a task of any API, or for several, until they have ended, and returns them.

    Poke, reschedule and deferrable mode have the same result, the same exceptions, and the same meaning of ``timeout``
    and ``soft_fail``. A throttled or failed poll never ends the wait.

    Args:
        api: A name of the catalog, e.g. ``wedata.task``, or a TaskApi of one's own.
        cloud_task_id: The task's id at the vendor, or a list of ids (templated). A list is one wait: one task of
            Airflow, and when deferred one trigger.
        api_params: The other parameters that name it, in the vendor's spelling, e.g. ``{"ProjectId": "24…"}``
            (templated).
        conn_id: The Airflow connection, ``alibaba_default`` or ``tencent_default`` if not given (templated).
        region: The region, against the connection's own (templated).
        wait_for: For a list: ``all`` of them, or ``any``, which is the first that ends well.
        fail_fast: For a list: whether the first that does not end well ends the wait. Otherwise all are waited for,
            and each one that did not end well is named.
        deferrable: Whether to wait in the triggerer, which takes no worker slot; the default is Airflow's
            ``[operators] default_deferrable``. With it, ``mode`` has no meaning.
        start_from_trigger: Whether the wait also begins in the triggerer (Airflow 3.3 and newer). Where the triggerer
            could not render what stands in the arguments, it begins on a worker, and a warning says why.
        end_from_trigger: Whether it also ends there; a timeout alone still takes a worker, for a moment. Airflow calls
            no listeners then.
        missing: What to do when the cloud does not know the task: ``fail`` at once, or ``wait`` until it does.
        on_unknown: What to do when the catalog does not know the task's status: ``wait``, or ``fail`` at once.
        on_failure: What to do when the task has not ended well: ``fail``, or ``wait`` until somebody has run it again.
        created_since: A time, as a datetime or as ISO 8601; a task that was created before it is another one, and the
            one that is meant is still to come (templated).
        success_statuses: The vendor's statuses that are a success for this wait, whatever the catalog says (templated).
        failure_statuses: The vendor's statuses that are a failure for this wait (templated).
        **kwargs: What Airflow's BaseSensorOperator takes: ``poke_interval`` and ``timeout`` in seconds, ``mode``,
            ``soft_fail``, ``exponential_backoff``, ``max_wait``, ``silent_fail``, ``never_fail``, ``retries``, …

    Returns:
        The normalised task, as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` gives it; Airflow puts it to XCom.
        For a list of ids, the list of tasks in the same order; one that was not waited for to its end is there as it
        was last seen, or None.

    Raises:
        ValueError: When the DAG is parsed: an argument is wrong; the text says which, and what was expected.
        CloudTaskFailed: The task ended in failed, canceled or expired. A skip instead with ``soft_fail``.
        AirflowSensorTimeout: The task had not ended by ``timeout``, which counts from the first poke. A skip instead
            with ``soft_fail``.
        CloudApiError: The cloud refuses to answer: wrong keys, no permission, no such task, bad parameters.
        InvalidConnection: The Airflow connection cannot be used.
        InvalidArguments: What was templated, or another task's output, turned out to name no task.
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
        missing: Missing = "fail",
        on_unknown: OnUnknown = "wait",
        on_failure: OnFailure = "fail",
        created_since: Any = None,
        success_statuses: Sequence[str] = (),
        failure_statuses: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name_task(api, cloud_task_id, api_params, conn_id, region)
        if deferrable is False and (start_from_trigger or end_from_trigger):
            raise ValueError("start_from_trigger and end_from_trigger wait in the triggerer: leave deferrable out.")
        if deferrable is None:
            by_default = conf.getboolean("operators", "default_deferrable", fallback=False)
            deferrable = start_from_trigger or end_from_trigger or by_default
        self.deferrable = deferrable
        self.end_from_trigger = end_from_trigger
        self.missing = missing
        self.on_unknown = on_unknown
        self.on_failure = on_failure
        # As text, which a trigger can store wherever the wait begins.
        self.created_since = created_since.isoformat() if isinstance(created_since, datetime) else created_since
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
        # What one run of the sensor keeps from poke to poke.
        self._rounds: WorkerWait | None = None

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Begin a mapped sensor, as of any operator."""
        begun = super().partial(**kwargs)
        owners = (begun.kwargs.get("task_group"), begun.kwargs.get("dag"))
        defaults = (kwargs.get("default_args"), *(getattr(owner, "default_args", None) for owner in owners))
        # Airflow builds a mapped task's trigger without its arguments.
        if ChainMap(kwargs, *filter(None, defaults)).get("start_from_trigger"):
            check_airflow_can()
            _warn(begun.kwargs["task_id"], "a mapped task begins on a worker only")
            begun.kwargs |= {"start_from_trigger": False, "deferrable": True}
        return begun

    def execute(self, context: Context) -> Any:
        """Wait: here, or, if it is not over yet and ``deferrable`` says so, in the triggerer."""
        self._rounds = None
        with self._skipping():
            # Here, where every mode comes by: what is raised while poking, Airflow may take for a poke in vain.
            ids, overrides, rules = task_ids(self.cloud_task_id), self._overrides(), self._rules_now()
            self.api.check_params(self.api_params or {})
            if not self.deferrable:
                return self._conclude(context, from_event(super().execute(context)))
            deadline = time.time() + self.timeout
            polled = self.poke(context)
            if polled:
                return self._conclude(context, from_event(polled.xcom_value or {}))
        keep_link(context, self._hook_in_use(), self.api, [])
        self.defer(
            trigger=CloudTaskTrigger(
                **self._trigger_arguments()
                | {
                    "cloud_task_id": list(ids) if is_many(self.cloud_task_id) else ids[0],
                    "success_statuses": list(overrides.success),
                    "failure_statuses": list(overrides.failure),
                    "created_since": rules.created_since,
                    "deadline": deadline,
                }
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout) + TIMEOUT_GRACE,
        )
        raise AssertionError("defer raises")

    def poke(self, context: Context) -> PokeReturnValue:
        """Read once every task that has not ended.

        Returns:
            Done, with the ends of all waits, when waiting is over.
        """
        if self._rounds is None:
            self._rounds = WorkerWait(
                self.hook(),
                self.api,
                task_ids(self.cloud_task_id),
                self.api_params,
                rules=self._rules_now(),
                overrides=self._overrides(),
                group=self.group,
                log=self.log.info,
            )
        if not self._rounds.read(until_one_goes_on=self.deferrable):
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=as_event(self._rounds.seen, many=is_many(self.cloud_task_id)))

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:
        """End the wait in the worker, with what the trigger fired.

        Args:
            context: Airflow's context.
            event: The payload of :class:`~airflow_cloudtasks.triggers.cloud_task.CloudTaskTrigger`'s event.
        """
        with self._skipping():
            return self._conclude(context, from_event(event))

    def _hook_in_use(self) -> CloudTasksHook:
        return self.hook() if self._rounds is None else self._rounds.hook

    def _conclude(self, context: Context, ends: Sequence[Verdict]) -> Any:
        hook = self._hook_in_use()
        ends = explain_failures(hook, self.api, ends, self.api_params)
        keep_link(context, hook, self.api, [task for end in ends if (task := seen(end)) is not None])
        result = conclude(ends, self.group, many=is_many(self.cloud_task_id))
        for end in ends:
            if isinstance(end, Finished):
                self.log.info("%s", end.task)
        return result

    @contextmanager
    def _skipping(self) -> Iterator[None]:
        """Give ``soft_fail`` and ``never_fail`` one meaning in every mode."""
        try:
            yield
        except (CloudTasksError, AirflowSensorTimeout) as caught:
            error = WaitTimedOut(str(caught)) if isinstance(caught, AirflowSensorTimeout) else caught
            if is_skip(error, soft_fail=self.soft_fail, never_fail=self.never_fail):
                raise AirflowSkipException(str(error)) from caught
            if isinstance(caught, WaitTimedOut):
                raise AirflowSensorTimeout(
                    f"Sensor has timed out after the specified timeout of {self.timeout} seconds; {caught}"
                ) from None
            raise

    def _start_from_trigger(self) -> None:
        """Let the scheduler hand the task to the triggerer, if what is templated can be rendered there."""
        check_airflow_can()
        if (reason := why_not(self._templated(), plainly=self._renders_plainly())) is not None:
            _warn(self.task_id, reason)
            return
        timeout = timedelta(seconds=self.timeout)
        # As Airflow has it, which tells the trigger no more than when that time is up.
        most = min(timeout + TIMEOUT_GRACE, self.execution_timeout or timedelta.max)
        self.start_from_trigger = True
        self.start_trigger_args = StartTriggerArgs(
            trigger_cls=f"{CloudTaskTrigger.__module__}.{CloudTaskTrigger.__qualname__}",
            trigger_kwargs=self._trigger_arguments() | {"grace": (most - timeout).total_seconds()},
            next_method="execute_complete",
            timeout=most,
        )

    def _renders_plainly(self) -> bool:
        dag = self.get_dag()
        native = getattr(self, "render_template_as_native_obj", None)
        if dag is None:
            return not native
        return not (
            (dag.render_template_as_native_obj if native is None else native)
            or dag.jinja_environment_kwargs
            or dag.template_undefined is not StrictUndefined
        )

    def _templated(self) -> dict[str, Any]:
        # Not what a subclass adds to template_fields, of which the trigger knows nothing.
        return {name: getattr(self, name) for name in CloudTaskSensor.template_fields}

    def _trigger_arguments(self) -> dict[str, Any]:
        """Give the trigger's arguments; those that are templated have the names that they have here."""
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
            "wait_for": self.group.wait_for,
            "fail_fast": self.group.fail_fast,
            "end_from_trigger": self.end_from_trigger,
            "soft_fail": self.soft_fail,
            "never_fail": self.never_fail,
            "do_xcom_push": self.do_xcom_push,
        }

    def _overrides(self) -> StatusOverrides:
        return StatusOverrides.of(self.success_statuses, self.failure_statuses)

    def _rules_now(self) -> WaitRules:
        """Give the rules once nothing in them is a template any more."""
        return replace(self._rules(), created_since=unix_seconds(self.created_since))

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
    warnings.warn(f"{task_id}: its wait begins on a worker, in spite of start_from_trigger: {reason}.", stacklevel=3)
