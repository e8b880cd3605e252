"""The operator that starts a task of any API and waits for it."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowTaskTimeout,
    BaseOperator,
    TaskDeferred,
    conf,
    get_current_context,
)

from airflow_cloudtasks.airflow_facts import run_identity
from airflow_cloudtasks.catalog import find_api, stored_api
from airflow_cloudtasks.errors import (
    CloudTaskFailed,
    CloudTasksError,
    InvalidArguments,
    MalformedAnswer,
    NotFound,
    StartUnknown,
    TransientError,
    WaitTimedOut,
)
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.lineage.emitting import EmitsLineage
from airflow_cloudtasks.lineage.statement import Statement, statement_of
from airflow_cloudtasks.links.console import CloudConsoleLink, keep_link
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.operators._argument_names import naming_arguments
from airflow_cloudtasks.operators._rows import check_max_rows, rows_part
from airflow_cloudtasks.operators._task_arguments import AT_PARSE, is_pending, rendered, template_paths
from airflow_cloudtasks.operators._time_limits import TimeLimited
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.start_requests import ids_from_job
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES, StatusOverrides
from airflow_cloudtasks.starting.asked import Asked
from airflow_cloudtasks.starting.attempt import UNSEEN_SECONDS, Attempt
from airflow_cloudtasks.starting.counted import counted
from airflow_cloudtasks.starting.doorway import Doorway
from airflow_cloudtasks.starting.doorway_variables import doorway_of
from airflow_cloudtasks.starting.memory import forget_or_log, memory_of, note_or_log
from airflow_cloudtasks.starting.on_kill import OnKill
from airflow_cloudtasks.starting.stages import Stage, stages
from airflow_cloudtasks.starting.starter import Starter
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger
from airflow_cloudtasks.version_compat import MUST_FORGET_STARTS
from airflow_cloudtasks.waiting.airflow_try import current_try
from airflow_cloudtasks.waiting.backoff import next_delay
from airflow_cloudtasks.waiting.explain import explain_failures, whole_task
from airflow_cloudtasks.waiting.group import GroupRules
from airflow_cloudtasks.waiting.limits import TimeLimits, seconds
from airflow_cloudtasks.waiting.outcome import conclude, from_event, is_timed_out, result_of, seen
from airflow_cloudtasks.waiting.sizes import left_out
from airflow_cloudtasks.waiting.verdicts import Broken, Finished, OnUnknown, Verdict, Waiting, WaitRules
from airflow_cloudtasks.waiting.worker import WorkerWait
from airflow_cloudtasks.xcoms.parts import push_parts

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.spec import TaskApi

_WEEK = 7 * 24 * 3600.0
# Seconds between two reads of a new task that the vendor does not show yet.
_UNSEEN_INTERVAL = 2.0
_EVERY_TASK_MUST_SUCCEED = GroupRules(wait_for="all")


class StartCloudTaskOperator(TimeLimited, EmitsLineage, BaseOperator):
    """Start a task of any API, wait until it has ended, and return it.

    A retry continues with the task that an earlier try started. It starts another one only after that task has failed.
    If a start request got no answer, the operator repeats it only if this cannot start a second task: the vendor
    recognises the repeated request, or a look-up finds no task. If the user kills the Airflow task, the operator
    cancels the cloud task.

    Args:
        api: A name in the catalog, e.g. ``wedata.workflow_run``, or your own TaskApi that has ``starts``.
        parameters: Parameters of the vendor's action, in the vendor's spelling (templated). Python's dicts, lists,
            dates and numbers are encoded as the vendor expects them.
        action: The vendor's action, if the API has several, e.g. ``CheckRules``.
        conn_id: Id of the Airflow connection; None for ``alibaba_default`` or ``tencent_default`` (templated).
        region: Region id; overrides the connection's region (templated).
        wait_for_completion: Whether to wait until the task has ended. If False, the result is the task as first read.
        deferrable: Whether to wait in the triggerer, which occupies no worker slot. The default is Airflow's
            ``[operators] default_deferrable``.
        poke_interval: Time between two polls, in seconds or as a timedelta.
        exponential_backoff: Whether the interval doubles with each poll.
        max_wait: Longest interval, in seconds or as a timedelta; None for no limit.
        timeout: Longest time of one try, from its start, in seconds or as a timedelta. Then the operator cancels the
            task, if the vendor can cancel it. Airflow's ``execution_timeout`` does the same.
        cancel_on_kill: Whether to cancel the cloud task if the Airflow task is killed or times out.
        on_unknown: What to do while the catalog does not know the task's status: ``wait``, or ``fail`` at once.
        success_statuses: Statuses of the vendor that count as success for this wait, whatever the catalog says
            (templated).
        failure_statuses: Statuses of the vendor that count as failure for this wait (templated).
        max_rows: For an API whose tasks return rows: the most rows that the result holds, as ``rows``. None for no
            ``rows``.
        multiple_outputs: Whether to store each part of the result as an XCom of its own, too, so that the next task can
            use ``started.output["detail"]``. A list of tasks has no parts.
        **kwargs: Arguments of Airflow's BaseOperator.

    Returns:
        The normalised task as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` returns it; Airflow stores it as
        XCom. With ``max_rows``, it also has ``rows``, each a dict by column; None if there are more. For an action that
        restarts a list of tasks, the list of the normalised tasks.

    Raises:
        ValueError: At parse time, if an argument is wrong; the text says which one, and what is expected.
        AirflowFailException: The operator cannot determine whether a request started a task, or the rendered parameters
            are wrong; the text names the parameter. Airflow does not retry.
        CloudTaskFailed: The task ended in failed, canceled or expired.
        WaitTimedOut: The task had not ended within ``timeout``. The text says whether it was canceled.
        AirflowTaskTimeout: The same of Airflow's ``execution_timeout``.
        CloudApiError: The cloud refuses the request: wrong keys, no permission, bad parameters. Or the task has
            succeeded, but its rows could not be read: a retry reads them without starting the task again.
        InvalidConnection: The Airflow connection cannot be used.
    """

    template_fields: Collection[str] = ("parameters", "conn_id", "region", "success_statuses", "failure_statuses")
    template_fields_renderers: ClassVar[dict[str, str]] = {"parameters": "json"}
    operator_extra_links = (CloudConsoleLink(),)
    ui_color = "#dfe9d8"

    def __init__(
        self,
        *,
        api: str | TaskApi,
        parameters: Mapping[str, Any] | None = None,
        action: str | None = None,
        conn_id: str | None = None,
        region: str | None = None,
        wait_for_completion: bool = True,
        deferrable: bool | None = None,
        poke_interval: float | timedelta = 60.0,
        exponential_backoff: bool = False,
        max_wait: float | timedelta | None = None,
        timeout: float | timedelta = _WEEK,
        cancel_on_kill: bool = True,
        on_unknown: OnUnknown = "wait",
        success_statuses: Sequence[str] = (),
        failure_statuses: Sequence[str] = (),
        max_rows: int | None = None,
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.api = find_api(api)
        self.start = self.api.start(action)
        check_max_rows(self.api, max_rows)
        self.max_rows = max_rows
        self.parameters = parameters
        self.conn_id = conn_id
        self.region = region
        self.wait_for_completion = wait_for_completion
        self.deferrable = (
            conf.getboolean("operators", "default_deferrable", fallback=False) if deferrable is None else deferrable
        )
        self.timeout = seconds("timeout", timeout)
        self.cancel_on_kill = cancel_on_kill
        self.success_statuses = success_statuses
        self.failure_statuses = failure_statuses
        returns_list = self.start.starts_many and wait_for_completion
        self.multiple_outputs = multiple_outputs and not returns_list
        self.rules = WaitRules(
            poke_interval=seconds("poke_interval", poke_interval),
            exponential_backoff=exponential_backoff,
            max_wait=None if max_wait is None else seconds("max_wait", max_wait),
            on_unknown=on_unknown,
        )
        if self.start.job_api is not None:
            find_api(self.start.job_api)
        if not is_pending(parameters):
            with naming_arguments(type(self)):
                self.start.check(_without_none(parameters))
                encode(self.api, self.start, _without_none(parameters), AT_PARSE)
        self._templates = frozenset(template_paths(parameters or {}))
        if isinstance(success_statuses, list | tuple | str) and isinstance(failure_statuses, list | tuple | str):
            StatusOverrides.of(success_statuses, failure_statuses)
        if MUST_FORGET_STARTS:
            # Forget the start only after Airflow has stored the result: until then, a retry must find the task.
            self.on_success_callback = [*_as_list(self.on_success_callback), _end_memory]
        # State of the current run for on_kill, which Airflow may call at any moment.
        self._hook: CloudTasksHook | None = None
        self._on_kill: OnKill | None = None
        self._killed = False
        # Whether a kill has nothing to cancel any more.
        self._is_over = False

    def execute(self, context: Context) -> Any:
        """Start the task, or find the one that an earlier try started, and wait for it."""
        parameters = self._checked_parameters()
        self._is_over = False
        self._hook = hook_for(self.api, self.conn_id, self.region)
        if self._killed:
            # Airflow 3 calls on_kill once, and may do so before it calls this method.
            if (
                self.cancel_on_kill
                and (earlier := self._started_before(self._starter(context, self._hook))) is not None
            ):
                self._prepare_cancellation(earlier, parameters)
            raise AirflowException("The Airflow task was killed before it began.")
        limits = self._limits(current_try(context).started_at)
        starter = self._starter(context, self._hook)
        try:
            attempt = counted(starter, self.api.name, self._hook.conn_id)
        except StartUnknown as error:
            raise AirflowFailException(str(error)) from error
        except BaseException as interruption:
            # To kill a task, Airflow 2 raises an exception at any point of this code, and so does Airflow's timer of
            # execution_timeout. If a start request may have arrived by then, look for its task and cancel it.
            is_killed = self._killed or isinstance(interruption, AirflowTaskTimeout)
            if is_killed and self.cancel_on_kill and (interrupted := self._started_before(starter)) is not None:
                self._prepare_cancellation(interrupted, parameters)
            raise
        self._prepare_cancellation(attempt, parameters)
        # Until the task has been read, the link opens the product's page.
        keep_link(context, self._hook, self.api, [])
        with _leaving_doorway(context, attempt):
            if self.wait_for_completion:
                return self._finish(context, attempt, limits)
            return self._read_once(context, attempt, limits)

    def _read_once(self, context: Context, attempt: Attempt, limits: TimeLimits) -> Any:
        """Return the tasks as first read."""
        stage = self._stages(attempt)[0]
        wait, _ = self._read_first(stage, limits.deadline)
        for verdict in wait.seen:
            if isinstance(verdict, Broken):
                self.log.warning("The task has been started but cannot be read: %s", verdict.error)
        tasks = [
            seen(verdict) or _unread_task(stage, task_id) for verdict, task_id in zip(wait.seen, stage.ids, strict=True)
        ]
        self._tasks_for_lineage = tasks
        return self._result(context, stage, tasks)

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:
        """Continue in a worker after a deferred wait.

        Args:
            context: Airflow's context.
            event: Payload of the event that :class:`~airflow_cloudtasks.triggers.cloud_task.CloudTaskTrigger` fired.
        """
        self._hook = hook_for(self.api, self.conn_id, self.region)
        carried = event["carried"]
        attempt, number, verdicts = Attempt.from_dict(carried["attempt"]), carried["stage"], from_event(event)
        if (cancel := carried["cancel"]) is not None:
            self._on_kill = OnKill.from_dict(cancel)
        if self._killed:
            if self._on_kill is not None and self.cancel_on_kill:
                self._on_kill.carry_out(self._hook)
            raise AirflowException("The Airflow task was killed before it went on.")
        if cancel is None and is_timed_out(verdicts):
            self._prepare_cancellation(attempt, _without_none(self.parameters))
        # A trigger that 0.2.0 or older stored carries the deadline that follows from timeout alone.
        limits = self._limits(carried["started_at"] if "started_at" in carried else carried["deadline"] - self.timeout)
        stage, is_canceled = self._stages(attempt)[number], carried.get("is_canceled", False)
        failed = [CloudTask.from_dict(task) for task in carried.get("failed", ())]
        with _leaving_doorway(context, attempt):
            tasks = self._conclude(context, stage, limits, verdicts, failed, is_canceled=is_canceled)
            return self._finish(context, attempt, limits, number + 1, tasks)

    def _end_unwatched_wait(self, context: Context) -> Any:
        """Read the tasks once more: return the result if they have ended; otherwise, time out and cancel them.

        Airflow has dropped what the trigger carried, so take what a retry would find.
        """
        self._hook = hook_for(self.api, self.conn_id, self.region)
        attempt = self._starter(context, self._hook).unanswered()
        limits = self._limits(started_at=0.0)
        if attempt is None:
            raise self._timed_out(context, limits, "no triggerer watched it, and what was started is unknown")
        with _leaving_doorway(context, attempt):
            return self._finish(context, attempt, replace(limits, started_at=time.time() - limits.seconds))

    def on_kill(self) -> None:
        """Cancel the cloud task; Airflow calls this if the user kills the Airflow task, or at ``execution_timeout``."""
        if self._is_over:
            return
        # Airflow calls this method after its own timer has fired, too.
        if isinstance(sys.exception(), AirflowTaskTimeout):
            self._end_at_execution_timeout(get_current_context())
            return
        self._killed = True
        if self._hook is None:  # Nothing has been started yet.
            return
        self._hook.hold()
        if not self.cancel_on_kill:
            self.log.info("Killed: the cloud task goes on, because of cancel_on_kill=False.")
        elif self._on_kill is None:
            self.log.warning("Killed during the start: the cloud task is canceled if its id becomes known in time.")
        else:
            self._on_kill.carry_out(self._hook)

    def outputs(self, task: CloudTask) -> dict[str, Any]:
        """Return further parts of the result by name; subclasses override this.

        Args:
            task: The task as last read. With ``wait_for_completion=False``, it may still be running.
        """
        return {}

    def sql_for_lineage(self) -> Statement | None:
        """Return the SQL of the request; None if it has none, or Airflow has not rendered it yet."""
        if self.start.sql is None or not isinstance(self.parameters, Mapping):
            return None
        region = None
        with suppress(CloudTasksError):  # The start itself reports it.
            region = (self._hook or hook_for(self.api, self.conn_id, self.region)).get_conn().region
        statement = statement_of(self.start.sql, self.parameters, region)
        return None if statement is None or is_pending(statement.sql) else statement

    def _starter(self, context: Context, hook: CloudTasksHook) -> Starter:
        return Starter(
            hook,
            self.api,
            self.start,
            _without_none(self.parameters),
            memory_of(context),
            run=_times_cleared(context["ti"]),
            identity=run_identity(context),
            doorway=partial(_doorway, context),
            overrides=StatusOverrides.of(self.success_statuses, self.failure_statuses),
        )

    def _end_at_execution_timeout(self, context: Context) -> None:
        """Cancel what was started, after Airflow's own timer has ended the try at any point of this code.

        After a deferral, Airflow 2 ends it so without resuming it. Its error has no text, so the log has it.
        """
        self._hook = self._hook or hook_for(self.api, self.conn_id, self.region)
        event = (getattr(context["ti"], "next_kwargs", None) or {}).get("event", {})
        if "carried" in event and self._has_ended(event):
            self.log.info("%s ended before Airflow ended the try. A retry sees how.", self.api.name)
            return
        is_canceled = event.get("carried", {}).get("is_canceled", False)
        if self._on_kill is None and not is_canceled:
            if (attempt := self._started_before(self._starter(context, self._hook))) is None:
                return
            self._prepare_cancellation(attempt, _without_none(self.parameters))
        timed_out = self._timed_out(context, self._limits(0.0), "Airflow ended the try", is_canceled=is_canceled)
        self.log.error("%s", timed_out)

    def _started_before(self, starter: Starter) -> Attempt | None:
        """Return what the current run has started; None, and a line in the log, if it cannot be looked up."""
        try:
            return starter.unanswered()
        except CloudTasksError as error:
            self.log.error("What was started cannot be looked up, and may go on: %s", error)
            return None

    def _has_ended(self, event: Mapping[str, Any]) -> bool:
        """Return whether a trigger's event says that the tasks of the last stage have ended."""
        attempt = Attempt.from_dict(event["carried"]["attempt"])
        last = len(self._stages(attempt)) - 1
        return (
            bool(attempt.ids)
            and event["carried"]["stage"] == last
            and all(isinstance(each, Finished) for each in from_event(event))
        )

    def _checked_parameters(self) -> dict[str, Any]:
        """Return the parameters after Airflow has rendered the templates; a retry would not mend what is wrong."""
        try:
            with naming_arguments(type(self)):
                parameters = _without_none(self.parameters)
                self.start.check(parameters)
                encode(self.api, self.start, parameters, rendered(self, self._templates))
        except InvalidArguments as error:
            raise AirflowFailException(str(error)) from error
        return parameters

    def _stages(self, attempt: Attempt) -> list[Stage]:
        return stages(self.api, self.start, _without_none(self.parameters), attempt)

    def _prepare_cancellation(self, attempt: Attempt, parameters: Mapping[str, Any]) -> None:
        """Prepare the requests with which :meth:`on_kill` cancels the task.

        Raises:
            AirflowException: The Airflow task was killed during the start. The cancellation has been tried by then.
        """
        if not self.cancel_on_kill or self._hook is None:
            return
        if not attempt.ids:
            if self._killed:
                raise AirflowException(
                    f"The Airflow task was killed before job {attempt.job} told the ids of its tasks: they go on."
                )
            return
        known = {**parameters, **attempt.asked.params}
        try:
            self._on_kill = OnKill.of(self._hook, self.api, attempt.ids, known, is_ours=attempt.is_ours)
        except CloudTasksError as error:
            # A new task may not be readable yet, and preparing its cancellation may need to read it.
            self.log.warning("The cancellation cannot be prepared yet: %s", error)
            return
        if self._killed:
            # The kill interrupted the start. At that time, on_kill did not know the task's id.
            self._on_kill.carry_out(self._hook)
            raise AirflowException("The Airflow task was killed while the cloud task was being started.")

    def _finish(
        self,
        context: Context,
        attempt: Attempt,
        limits: TimeLimits,
        next_stage: int = 0,
        tasks: Sequence[CloudTask] = (),
    ) -> Any:
        """Wait for the stages that are left, and return the result.

        Args:
            context: Airflow's context.
            attempt: The start that is waited for.
            limits: The limits of the try.
            next_stage: The number of the first stage that is left.
            tasks: The tasks of the stage before.
        """
        number = next_stage
        while True:
            if number > 0 and not attempt.ids:
                attempt = self._with_ids(context, attempt, tasks)
            all_stages = self._stages(attempt)
            if number == len(all_stages):
                return self._result(context, all_stages[-1], tasks)
            failed = [task for task in tasks if not task.ok]
            verdicts = self._wait_for_stage(attempt, number, all_stages[number], limits, failed)
            tasks = self._conclude(context, all_stages[number], limits, verdicts, failed)
            number += 1

    def _with_ids(self, context: Context, attempt: Attempt, jobs: Sequence[CloudTask]) -> Attempt:
        """Return the attempt with the ids of the tasks that its job has made.

        Raises:
            CloudTaskFailed: The job has failed and made no task. The next try starts a new one.
            MalformedAnswer: The job has succeeded and shows no task.
        """
        ids = tuple(dict.fromkeys(each for job in jobs for each in ids_from_job(self.start, job)))
        if not ids:
            if failed := [job for job in jobs if not job.ok]:
                forget_or_log(memory_of(context))
                self._is_over = True
                raise CloudTaskFailed(*failed)
            raise MalformedAnswer(
                f"{self.api.name}: job {attempt.job} has succeeded, and {self.start.job_ids} holds no id of a task",
                api=self.api.name,
                field=self.start.job_ids or "",
                action=self.start.action.name,
            )
        attempt = replace(attempt, ids=ids)
        note_or_log(memory_of(context), attempt.as_dict())
        self._prepare_cancellation(attempt, _without_none(self.parameters))
        return attempt

    def _wait_for_stage(
        self, attempt: Attempt, number: int, stage: Stage, limits: TimeLimits, failed: Sequence[CloudTask]
    ) -> Sequence[Verdict]:
        """Wait in the worker and return the verdicts, or raise TaskDeferred to wait in the triggerer."""
        wait, is_over = self._read_first(stage, limits.deadline)
        if self._on_kill is None:
            self._prepare_cancellation(attempt, _without_none(self.parameters))
        if is_over or limits.seconds_left(time.time()) <= 0:
            return wait.seen
        if self.deferrable:
            carried = {
                "attempt": attempt.as_dict(),
                "stage": number,
                "started_at": limits.started_at,
                "failed": [task.as_dict() for task in failed],
            }
            self._defer_within(limits, self._trigger(stage, limits.deadline, carried))
        return self._wait_in_worker(stage, limits.deadline)

    def _worker_wait(self, stage: Stage, rules: WaitRules) -> WorkerWait:
        assert self._hook is not None  # noqa: S101 - for the type checker
        return WorkerWait(
            self._hook,
            stage.api,
            stage.ids,
            stage.api_params,
            rules=rules,
            overrides=self._overrides(stage),
            group=_EVERY_TASK_MUST_SUCCEED,
            log=self.log.info,
        )

    def _overrides(self, stage: Stage) -> StatusOverrides:
        # The user's overrides apply to the tasks, not to the job that starts them.
        if stage.api is not self.api:
            return NO_OVERRIDES
        return StatusOverrides.of(self.success_statuses, self.failure_statuses, stage.ended_since)

    def _read_first(self, stage: Stage, deadline: float) -> tuple[WorkerWait, bool]:
        """Read the tasks until the vendor shows them, and return the wait and whether it is over.

        If the vendor does not show them within a minute, the wait goes on without them.
        """
        wait = self._worker_wait(stage, replace(self.rules, missing="wait"))
        give_up_at = min(time.time() + UNSEEN_SECONDS, deadline)
        while not (is_over := wait.read(before_deferring=self.deferrable)):
            not_found = any(isinstance(each, Waiting) and isinstance(each.why, NotFound) for each in wait.seen)
            if not not_found or time.time() > give_up_at:
                break
            time.sleep(_UNSEEN_INTERVAL)
        return wait, is_over

    def _wait_in_worker(self, stage: Stage, deadline: float) -> Sequence[Verdict]:
        """Poll until the tasks have ended or the deadline has passed, and return the verdicts."""
        wait, polls = self._worker_wait(stage, self.rules), 1
        while (seconds_left := deadline - time.time()) > 0:
            time.sleep(next_delay(self.rules, polls, seconds_left))
            polls += 1
            if wait.read():
                break
        return wait.seen

    def _trigger(self, stage: Stage, deadline: float, carried: Mapping[str, Any]) -> CloudTaskTrigger:
        overrides = self._overrides(stage)
        return CloudTaskTrigger(
            api=stored_api(stage.api),
            cloud_task_id=list(stage.ids) if len(stage.ids) > 1 else stage.ids[0],
            api_params=stage.api_params,
            conn_id=self.conn_id,
            region=self.region,
            success_statuses=list(overrides.success),
            failure_statuses=list(overrides.failure),
            ended_since=overrides.ended_since,
            poke_interval=self.rules.poke_interval,
            exponential_backoff=self.rules.exponential_backoff,
            max_wait=self.rules.max_wait,
            on_unknown=self.rules.on_unknown,
            deadline=deadline,
            cancel=None if self._on_kill is None else self._on_kill.as_dict(),
            carried=carried,
        )

    def _conclude(
        self,
        context: Context,
        stage: Stage,
        limits: TimeLimits,
        verdicts: Sequence[Verdict],
        failed: Sequence[CloudTask],
        *,
        is_canceled: bool = False,
    ) -> list[CloudTask]:
        """Return the tasks of a stage, or raise the error of its wait.

        A job that has failed is returned: it may have set some of the tasks going, so wait for these before the error.

        Args:
            context: Airflow's context.
            stage: The stage.
            limits: The limits of the try.
            verdicts: The verdicts of the wait.
            failed: The jobs of the stage before that have failed.
            is_canceled: Whether the trigger has canceled what timed out.
        """
        assert self._hook is not None  # noqa: S101 - for the type checker
        verdicts = explain_failures(self._hook, stage.api, verdicts, stage.api_params)
        if len(verdicts) == 1:
            verdicts = [self._whole(stage, verdict) for verdict in verdicts]
        tasks = [task for verdict in verdicts if (task := seen(verdict)) is not None]
        keep_link(context, self._hook, stage.api, tasks)
        self._tasks_for_lineage = tasks
        try:
            conclude(verdicts, _EVERY_TASK_MUST_SUCCEED, many=True)
            if failed:
                raise CloudTaskFailed(*failed)
        except CloudTasksError as error:
            if is_timed_out(verdicts):
                raise self._timed_out(context, limits, str(error), is_canceled=is_canceled) from None
            # A task with an unknown status may still run.
            have_ended = isinstance(error, CloudTaskFailed) and all(task.done for task in error.tasks)
            if have_ended and stage.api is not self.api:
                self.log.warning("Waiting for the tasks that it may have set going: %s", error)
                return tasks
            if have_ended:
                # Forget the tasks, so that the next try starts new ones.
                forget_or_log(memory_of(context))
                self._is_over = True
            if failed and isinstance(error, CloudTaskFailed):
                raise CloudTaskFailed(*failed, *(task for task in error.tasks if task not in failed)) from None
            raise
        for task in tasks:
            self.log.info("%s", task)
        return tasks

    def _timed_out(
        self, context: Context, limits: TimeLimits, why: str, *, is_canceled: bool = False
    ) -> WaitTimedOut | AirflowTaskTimeout:
        """Cancel what was started; return the error that Airflow expects, whose text says what became of it."""
        assert self._hook is not None  # noqa: S101 - for the type checker
        if is_canceled or (self._on_kill is not None and self._on_kill.carry_out(self._hook)):
            # The vendor may delete a canceled task, so the next try could not read it.
            forget_or_log(memory_of(context))
            fate = "it has been canceled"
        elif not self.cancel_on_kill:
            fate = "it goes on, because of cancel_on_kill=False"
        elif self.api.cancel is None:
            fate = f"it goes on, because {self.api.service.product} has no action that cancels such a task"
        else:
            all_of_it = "not all of it could" if self._on_kill and len(self._on_kill.ids) > 1 else "it could not"
            fate = f"{all_of_it} be canceled, and may go on"
        self._is_over = True
        error = WaitTimedOut if limits.binding == "timeout" else AirflowTaskTimeout
        return error(
            f"{self.api.name} took longer than {limits.seconds:g} seconds; {why}. Its {limits.binding} is over: {fate}."
        )

    def _whole(self, stage: Stage, verdict: Verdict) -> Verdict:
        """Return a verdict on the whole task, which :meth:`outputs` needs, even if the trigger's event left parts out.

        Raises:
            CloudApiError: The task could not be read again. A retry of the Airflow task finds it and reads it.
        """
        if not isinstance(verdict, Finished) or not verdict.task.ok:
            return verdict
        assert self._hook is not None  # noqa: S101 - for the type checker
        return Finished(whole_task(self._hook, stage.api, verdict, stage.api_params))

    def _result(self, context: Context, stage: Stage, tasks: Sequence[CloudTask]) -> Any:
        """Return the operator's result, and store its parts as XComs."""
        if stage.api is self.api and all(task.done for task in tasks):
            self._is_over = True
        many = self.start.starts_many and stage.api is self.api
        ended = [Finished(task) for task in tasks]
        for line in left_out(ended):
            self.log.warning(line)
        result = result_of(ended, many=many)
        if not many:
            assert self._hook is not None  # noqa: S101 - for the type checker
            max_rows = self.max_rows if stage.api is self.api else None
            result |= rows_part(self._hook, stage.api, tasks[0], stage.api_params, max_rows)
            result |= self.outputs(tasks[0])
        push_parts(self, context, result)
        return result


def _unread_task(stage: Stage, task_id: str) -> CloudTask:
    """Return a task that has been started but could not be read."""
    return CloudTask(api=stage.api.name, cloud=stage.api.cloud, id=task_id, state=TaskState.UNKNOWN)


def _without_none(parameters: Any) -> dict[str, Any]:
    """Return the parameters without None, which stands for an omitted argument or an empty template."""
    if not isinstance(parameters, Mapping | None):
        raise InvalidArguments(f"parameters is {parameters!r:.200}; expected a dict by the vendor's names.")
    return {name: value for name, value in (parameters or {}).items() if value is not None}


def _doorway(context: Context, asked: Asked) -> Doorway:
    return doorway_of(context, asked, run_identity(context))


@contextmanager
def _leaving_doorway(context: Context, attempt: Attempt) -> Iterator[None]:
    """Delete the entry that says what this try asked for, however the try ends, unless it only defers."""
    try:
        yield
    except TaskDeferred:
        raise
    except Exception:
        _leave_doorway(context, attempt)
        raise
    _leave_doorway(context, attempt)


def _leave_doorway(context: Context, attempt: Attempt) -> None:
    if attempt.is_alone:
        with suppress(TransientError):  # An entry that stays is deleted when its day is over.
            _doorway(context, attempt.asked).leave()


def _times_cleared(task_instance: Any) -> int:
    """Return a number that stays the same over retries and changes when the user clears the task.

    Airflow raises ``max_tries`` if the user clears a task that does not run in a worker. If it does, Airflow only tries
    again, even if no retry is left.
    """
    return max(int(task_instance.max_tries), int(getattr(task_instance, "try_number", 0)) - 1)


def _as_list(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]


def _end_memory(context: Context) -> None:
    memory_of(context).end()
