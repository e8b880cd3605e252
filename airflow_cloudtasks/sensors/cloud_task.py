"""The sensor that waits for a task of any API."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_cloudtasks.errors import (
    CloudApiError,
    CloudTaskFailed,
    CloudTasksError,
    InvalidConnection,
    error_from_dict,
)
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.normalise import StatusOverrides
from airflow_cloudtasks.polling.decisions import (
    Broken,
    ChangeLog,
    Finished,
    Missing,
    OnUnknown,
    WaitRules,
    judge,
)
from airflow_cloudtasks.task_arguments import TaskArguments
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.spec import TaskApi

# The trigger ends the wait at the timeout by itself. Should no triggerer be alive to do it, Airflow ends it this much
# later.
_TRIGGER_GRACE = timedelta(minutes=1)


class CloudTaskSensor(TaskArguments, BaseSensorOperator):
    """Waits for a task of any API until it has ended, and returns it.

    Poke, reschedule and deferrable mode have the same result, the same exceptions, and the same meaning of ``timeout``
    and ``soft_fail``. A throttled or failed poll never ends the wait.

    Args:
        api: A name of the catalog, e.g. ``wedata.task``, or a TaskApi of one's own.
        cloud_task_id: The task's id at the vendor (templated).
        api_params: The other parameters that name it, in the vendor's spelling, e.g. ``{"ProjectId": "24…"}``
            (templated).
        conn_id: The Airflow connection, ``alibaba_default`` or ``tencent_default`` if not given (templated).
        region: The region, against the connection's own (templated).
        deferrable: Whether to wait in the triggerer, which takes no worker slot; the default is Airflow's
            ``[operators] default_deferrable``. With it, ``mode`` has no meaning.
        missing: What to do when the cloud does not know the task: ``fail`` at once, or ``wait`` until it does.
        on_unknown: What to do when the catalog does not know the task's status: ``wait``, or ``fail`` at once.
        success_statuses: The vendor's statuses that are a success for this wait, whatever the catalog says (templated).
        failure_statuses: The vendor's statuses that are a failure for this wait (templated).
        **kwargs: What Airflow's BaseSensorOperator takes: ``poke_interval`` and ``timeout`` in seconds, ``mode``,
            ``soft_fail``, ``exponential_backoff``, ``max_wait``, ``silent_fail``, ``never_fail``, ``retries``, …

    Returns:
        The normalised task, as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` gives it; Airflow puts it to XCom.

    Raises:
        ValueError: When the DAG is parsed: an argument is wrong; the text says which, and what was expected.
        CloudTaskFailed: The task ended in failed, canceled or expired. A skip instead with ``soft_fail``.
        AirflowSensorTimeout: The task had not ended by ``timeout``, which counts from the first poke. A skip instead
            with ``soft_fail``.
        CloudApiError: The cloud refuses to answer: wrong keys, no permission, no such task, bad parameters.
        InvalidConnection: The Airflow connection cannot be used.
    """

    template_fields: Collection[str] = (
        *TaskArguments.template_fields,
        "success_statuses",
        "failure_statuses",
    )
    ui_color = "#e8eef9"

    def __init__(
        self,
        *,
        api: str | TaskApi,
        cloud_task_id: Any,
        api_params: Mapping[str, Any] | None = None,
        conn_id: str | None = None,
        region: str | None = None,
        deferrable: bool | None = None,
        missing: Missing = "fail",
        on_unknown: OnUnknown = "wait",
        success_statuses: Sequence[str] = (),
        failure_statuses: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name_task(api, cloud_task_id, api_params, conn_id, region)
        self.deferrable = (
            conf.getboolean("operators", "default_deferrable", fallback=False) if deferrable is None else deferrable
        )
        self.missing = missing
        self.on_unknown = on_unknown
        self.success_statuses = success_statuses
        self.failure_statuses = failure_statuses
        self._rules()
        for name, statuses in (("success_statuses", success_statuses), ("failure_statuses", failure_statuses)):
            if isinstance(statuses, str):
                raise ValueError(f"{name} is {statuses!r}; expected a list of statuses, e.g. [{statuses!r}].")
        if isinstance(success_statuses, list | tuple) and isinstance(failure_statuses, list | tuple):
            self._overrides()
        # What one run of the sensor keeps from poke to poke.
        self._changes = ChangeLog()
        self._hook: CloudTasksHook | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Wait for the task: here, or, if it has not ended yet and ``deferrable`` says so, in the triggerer."""
        with self._skipping():
            if not self.deferrable:
                return self._conclude(super().execute(context))
            deadline = time.time() + self.timeout
            polled = self.poke(context)
            if polled:
                return self._conclude(polled.xcom_value)
        self.defer(
            trigger=CloudTaskTrigger(
                api=self.api,
                cloud_task_id=str(self.cloud_task_id),
                api_params=self.api_params,
                conn_id=self.conn_id,
                region=self.region,
                success_statuses=self.success_statuses,
                failure_statuses=self.failure_statuses,
                poke_interval=self.poke_interval,
                exponential_backoff=self.exponential_backoff,
                max_wait=self._rules().max_wait,
                missing=self.missing,
                on_unknown=self.on_unknown,
                tolerate_errors=self.silent_fail,
                deadline=deadline,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout) + _TRIGGER_GRACE,
        )
        raise AssertionError("defer raises")

    def poke(self, context: Context) -> PokeReturnValue:
        """Read the task once.

        Returns:
            Done, with the task, when it has ended, well or not; not done while it is to be waited on.
        """
        if self._hook is None:
            self._hook = self.hook()
        rules = self._rules()
        try:
            task = self._hook.read_task(self.api, str(self.cloud_task_id), self.api_params, self._overrides())
            verdict = judge(task, rules)
        except CloudApiError as error:
            verdict = judge(error, rules)
        if isinstance(verdict, Broken):
            raise verdict.error
        if isinstance(verdict, Finished):
            return PokeReturnValue(is_done=True, xcom_value=verdict.task.as_dict())
        if (line := self._changes.line(verdict.why)) is not None:
            self.log.info("%s", line)
        return PokeReturnValue(is_done=False)

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any]:
        """End the wait in the worker, with what the trigger fired.

        Args:
            context: Airflow's context.
            event: The payload of :class:`~airflow_cloudtasks.triggers.cloud_task.CloudTaskTrigger`'s event.
        """
        with self._skipping():
            if "task" in event:
                return self._conclude(event["task"])
            if "error" in event:
                raise error_from_dict(event["error"])
            if "invalid" in event:
                raise InvalidConnection(event["invalid"])
            raise AirflowSensorTimeout(
                f"Sensor has timed out after the specified timeout of {self.timeout} seconds; "
                f"last seen: {event['timeout']}"
            )

    def _conclude(self, xcom_value: Any) -> dict[str, Any]:
        task = CloudTask.from_dict(xcom_value)
        if not task.ok:
            raise CloudTaskFailed(task)
        self.log.info("%s", task)
        return task.as_dict()

    @contextmanager
    def _skipping(self) -> Iterator[None]:
        """Give ``soft_fail`` and ``never_fail`` one meaning in every mode."""
        try:
            yield
        except (CloudTaskFailed, AirflowSensorTimeout) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise
        except CloudTasksError as error:
            if self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise

    def _overrides(self) -> StatusOverrides:
        return StatusOverrides(success=tuple(self.success_statuses), failure=tuple(self.failure_statuses))

    def _rules(self) -> WaitRules:
        return WaitRules(
            poke_interval=self.poke_interval,
            exponential_backoff=self.exponential_backoff,
            max_wait=self.max_wait.total_seconds() if self.max_wait else None,
            missing=self.missing,
            on_unknown=self.on_unknown,
            tolerate_errors=self.silent_fail,
        )
