"""The limits of a try's time: one meaning in every mode of waiting, over all deferrals, on every Airflow."""

from __future__ import annotations

import time
from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_cloudtasks.triggers.cloud_task import TIMEOUT_GRACE, CloudTaskTrigger
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2
from airflow_cloudtasks.waiting.airflow_try import is_trigger_timeout
from airflow_cloudtasks.waiting.limits import TimeLimits, seconds

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, Context

    _Operator = BaseOperator
else:
    _Operator = object


# Arguments that are durations.
_DURATIONS = frozenset({"timeout", "execution_timeout", "poke_interval", "max_wait"})


class ChecksExecutionTimeout(_Operator):
    """A mixin for all operators and sensors: refuse an ``execution_timeout`` that is no sensible duration."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.execution_timeout is not None:
            seconds("execution_timeout", self.execution_timeout)

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Return the partial of a mapped task; refuse durations that are no sensible ones.

        Those of ``expand`` are refused when Airflow creates the mapped instance: before, it does not call this package.

        Args:
            **kwargs: Arguments that all mapped instances have in common.
        """
        for name in _DURATIONS & kwargs.keys():
            if kwargs[name] is not None:
                seconds(name, kwargs[name])
        return super().partial(**kwargs)


class TimeLimited(ChecksExecutionTimeout):
    """A mixin for operators and sensors that wait: ``timeout`` and ``execution_timeout`` count from the try's start.

    Airflow alone would count them from each resumption, from the first poke, or not at all, depending on its version
    and on the mode.
    """

    timeout: float

    # What Airflow 2 sees as execution_timeout while the task is deferred is longer than what the user gave.
    _execution_timeout_of_user: timedelta | None = None

    def _limits(self, started_at: float) -> TimeLimits:
        """Return the limits of a try.

        Args:
            started_at: Unix seconds at which the try began.
        """
        limit = self._execution_timeout_of_user or self.execution_timeout
        # A limit of 0 is none to Airflow.
        return TimeLimits(
            started_at=started_at, timeout=self.timeout, execution_timeout=limit.total_seconds() if limit else None
        )

    def _defer_within(self, limits: TimeLimits, trigger: CloudTaskTrigger) -> NoReturn:
        """Wait in the triggerer until the deadline.

        Airflow has to end the wait only if no triggerer does, so it waits a little longer than the trigger.

        Args:
            limits: The limits of the try. Some time must be left.
            trigger: A trigger that ends at their deadline.
        """
        if IS_AIRFLOW_2 and self.execution_timeout:
            # Airflow 2 ends a deferral at its execution_timeout, and would prevent the trigger from canceling.
            self._execution_timeout_of_user = self._execution_timeout_of_user or self.execution_timeout
            self.execution_timeout = self._execution_timeout_of_user + TIMEOUT_GRACE
        left = timedelta(seconds=max(limits.seconds_left(time.time()), 0.0))
        self.defer(trigger=trigger, method_name="execute_complete", timeout=left + TIMEOUT_GRACE)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Continue a deferred task in a worker; Airflow calls this.

        Args:
            next_method: Name of the method to call, or Airflow's mark for a deferral that failed.
            next_kwargs: Arguments of the method.
            context: Airflow's context.
        """
        if is_trigger_timeout(next_method, next_kwargs):
            return self._end_unwatched_wait(context)
        return super().resume_execution(next_method, next_kwargs, context)

    @abstractmethod
    def _end_unwatched_wait(self, context: Context) -> Any:
        """End a wait that reached its deadline while no triggerer watched it.

        Args:
            context: Airflow's context.
        """
