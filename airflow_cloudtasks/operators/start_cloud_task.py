"""The operator that starts a task of any API, and waits for it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, BaseOperator, XComArg, conf

from airflow_cloudtasks.catalog import find_api, stored_api
from airflow_cloudtasks.errors import (
    CloudTaskFailed,
    CloudTasksError,
    InvalidArguments,
    NotFound,
    StartUnknown,
    WaitTimedOut,
)
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.links.console import CloudConsoleLink, keep_link
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.start_requests import identifying_params
from airflow_cloudtasks.protocol.status_overrides import CATALOG_STATUSES, StatusOverrides
from airflow_cloudtasks.starting.attempt import UNSEEN_SECONDS, Attempt
from airflow_cloudtasks.starting.memory import memory_of
from airflow_cloudtasks.starting.on_kill import OnKill
from airflow_cloudtasks.starting.stages import Stage, stages
from airflow_cloudtasks.starting.starter import Starter
from airflow_cloudtasks.triggers.cloud_task import TIMEOUT_GRACE, CloudTaskTrigger
from airflow_cloudtasks.version_compat import MUST_FORGET_STARTS
from airflow_cloudtasks.waiting.backoff import next_delay
from airflow_cloudtasks.waiting.explain import explain_failures
from airflow_cloudtasks.waiting.group import GroupRules
from airflow_cloudtasks.waiting.outcome import conclude, from_event, seen
from airflow_cloudtasks.waiting.verdicts import Broken, OnUnknown, Verdict, Waiting, WaitRules
from airflow_cloudtasks.waiting.worker import WorkerWait

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.spec import TaskApi

_WEEK = 7 * 24 * 3600.0
_LONGEST = 1e10
_ALL = GroupRules()

_UNSEEN_INTERVAL = 2.0


class StartCloudTaskOperator(BaseOperator):
    """Starts a task of any API, waits until it has ended, and returns it.

    A retry goes on with the task that an earlier try has started, and starts another one only where that has failed.
    A start request that was not answered is not sent again unless the vendor, or a look-up, tells that this starts no
    second task. Where the user kills the Airflow task, the cloud's task is canceled.

    Args:
        api: A name of the catalog, e.g. ``wedata.workflow_run``, or a TaskApi of one's own that has ``starts``.
        parameters: The parameters of the vendor's action, in its spelling (templated). Python's dicts, lists, times and
            numbers become what the vendor wants.
        action: The vendor's action, where the API has several, e.g. ``CheckRules``.
        conn_id: The Airflow connection, ``alibaba_default`` or ``tencent_default`` if not given (templated).
        region: The region, against the connection's own (templated).
        wait_for_completion: Whether to wait until the task has ended; otherwise it is returned as it was first seen.
        deferrable: Whether to wait in the triggerer, which takes no worker slot; the default is Airflow's
            ``[operators] default_deferrable``.
        poke_interval: Seconds, or a timedelta, between two polls.
        exponential_backoff: Whether the interval doubles from poll to poll.
        max_wait: The longest interval, in seconds or as a timedelta.
        timeout: Seconds, or a timedelta, that one try waits; then the task is canceled, if the vendor can.
        cancel_on_kill: Whether the cloud's task is canceled when the Airflow task is killed, or times out.
        on_unknown: What to do when the catalog does not know the task's status: ``wait``, or ``fail`` at once.
        success_statuses: The vendor's statuses that are a success for this wait, whatever the catalog says (templated).
        failure_statuses: The vendor's statuses that are a failure for this wait (templated).
        multiple_outputs: Whether each part of the result that has a value is an XCom of its own too, so that the next
            task can take ``started.output["detail"]``.
        **kwargs: What Airflow's BaseOperator takes.

    Returns:
        The normalised task, as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` gives it; Airflow puts it to XCom,
        and each part of it under its name. A list of them for an action that is given a list of tasks.

    Raises:
        ValueError: When the DAG is parsed: an argument is wrong; the text says which, and what was expected.
        AirflowFailException: Nobody can tell whether a request has started a task. Airflow does not try again then.
        CloudTaskFailed: The task ended in failed, canceled or expired.
        WaitTimedOut: The task had not ended by ``timeout``.
        CloudApiError: The cloud refuses: wrong keys, no permission, bad parameters.
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
        multiple_outputs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.api = find_api(api)
        self.start = self.api.start(action)
        self.parameters = parameters
        self.conn_id = conn_id
        self.region = region
        self.wait_for_completion = wait_for_completion
        self.deferrable = (
            conf.getboolean("operators", "default_deferrable", fallback=False) if deferrable is None else deferrable
        )
        self.timeout = _seconds("timeout", timeout)
        self.cancel_on_kill = cancel_on_kill
        self.success_statuses = success_statuses
        self.failure_statuses = failure_statuses
        self.pushes_parts = multiple_outputs
        self.rules = WaitRules(
            poke_interval=_seconds("poke_interval", poke_interval),
            exponential_backoff=exponential_backoff,
            max_wait=None if max_wait is None else _seconds("max_wait", max_wait),
            on_unknown=on_unknown,
        )
        if self.start.job_api is not None:
            find_api(self.start.job_api)
        if not isinstance(parameters, XComArg):
            self.start.check(_given(parameters))
        if isinstance(success_statuses, list | tuple | str) and isinstance(failure_statuses, list | tuple | str):
            StatusOverrides.of(success_statuses, failure_statuses)
        if MUST_FORGET_STARTS:
            # Not after execute, when Airflow has yet to store the result; a retry would not find the task.
            self.on_success_callback = [*_listed(self.on_success_callback), _forget]
        # What one run keeps for on_kill, which Airflow calls in the middle of anything.
        self._hook: CloudTasksHook | None = None
        self._on_kill: OnKill | None = None
        self._killed = False

    def execute(self, context: Context) -> Any:
        """Start the task, or find what an earlier try has started, and wait."""
        parameters = _given(self.parameters)
        self.start.check(parameters)
        self._killed = False
        self._hook = hook_for(self.api, self.conn_id, self.region)
        starter = Starter(
            self._hook,
            self.api,
            self.start,
            parameters,
            memory_of(context),
            run=context["ti"].max_tries,
            overrides=StatusOverrides.of(self.success_statuses, self.failure_statuses),
        )
        try:
            attempt = starter.started()
        except StartUnknown as error:
            raise AirflowFailException(str(error)) from error
        except BaseException:
            # Airflow 2 raises in the middle of anything when it kills a task.
            if self._killed and self.cancel_on_kill and (interrupted := starter.unanswered()) is not None:
                self._watch_over(interrupted, parameters)
            raise
        self.log.info("%s %s has been started.", self.api.name, ", ".join(attempt.ids))
        self._watch_over(attempt, parameters)
        keep_link(context, self._hook, self.api, [])
        if self.wait_for_completion:
            return self._wait(context, attempt, time.time() + self.timeout)
        stage = self._stages(attempt)[0]
        rounds, _ = self._first_look(stage, time.time() + self.timeout)
        for end in rounds.seen:
            if isinstance(end, Broken):
                self.log.warning("It has been started, and cannot be read: %s", end.error)
        return self._returned(context, stage, [(seen(end) or _unseen(stage, i)) for i, end in enumerate(rounds.seen)])

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:
        """Go on in a worker with what the trigger fired.

        Args:
            context: Airflow's context.
            event: The payload of :class:`~airflow_cloudtasks.triggers.cloud_task.CloudTaskTrigger`'s event.
        """
        self._hook = hook_for(self.api, self.conn_id, self.region)
        carried = event["carried"]
        if (cancel := carried["cancel"]) is not None:
            self._on_kill = OnKill.from_dict(cancel)
        attempt = Attempt.from_dict(carried["attempt"])
        return self._wait(context, attempt, carried["deadline"], carried["stage"], from_event(event))

    def on_kill(self) -> None:
        """Cancel the cloud's task; Airflow calls this where the user has killed the one that waits for it."""
        self._killed = True
        if self._hook is None:
            return
        self._hook.hold()
        if not self.cancel_on_kill:
            self.log.info("Killed: what was started at the cloud goes on, as cancel_on_kill=False says.")
        elif self._on_kill is None:
            self.log.warning("Killed: what is being started at the cloud is canceled, should it become known in time.")
        else:
            self._on_kill.carry_out(self._hook)

    def outputs(self, task: CloudTask) -> dict[str, Any]:
        """Give what XCom gets besides the task, by name; for subclasses.

        Args:
            task: The task as it ended, or was first seen.
        """
        return {}

    @property
    def _longest(self) -> float:
        """Seconds that Airflow lets a wait take, in the worker as deferred."""
        return (self.execution_timeout or timedelta.max).total_seconds()

    def _stages(self, attempt: Attempt) -> list[Stage]:
        return stages(self.api, self.start, _given(self.parameters), attempt)

    def _watch_over(self, attempt: Attempt, parameters: Mapping[str, Any]) -> None:
        """Make ready to cancel what was started."""
        if not self.cancel_on_kill or self._hook is None:
            return
        known = {**parameters, **identifying_params(self.api, self.start, parameters)}
        try:
            self._on_kill = OnKill.of(self._hook, self.api, attempt.ids, known)
        except CloudTasksError as error:
            # A new task may not be there yet for those who read, as an API of one's own may need to.
            self.log.warning("Not ready yet to be canceled: %s", error)
            return
        if self._killed:
            # Too early for on_kill, which interrupted the start.
            self._on_kill.carry_out(self._hook)
            raise AirflowException("The Airflow task was killed while the cloud's was being started.")

    def _wait(
        self,
        context: Context,
        attempt: Attempt,
        deadline: float,
        first: int = 0,
        ends: Sequence[Verdict] | None = None,
    ) -> Any:
        """Wait stage by stage, the first of which may be over by now."""
        tasks: list[CloudTask] = []
        due = self._stages(attempt)
        for number, stage in enumerate(due[first:], first):
            if ends is None:
                rounds, is_over = self._first_look(stage, deadline)
                if self._on_kill is None:
                    self._watch_over(attempt, _given(self.parameters))
                if not is_over and self.deferrable:
                    self._defer(attempt, number, stage, deadline)
                ends = rounds.seen if is_over else self._stay(stage, deadline)
            tasks = self._conclude(context, stage, ends)
            ends = None
        return self._returned(context, due[-1], tasks)

    def _rounds(self, stage: Stage, rules: WaitRules) -> WorkerWait:
        assert self._hook is not None  # noqa: S101 - for the type checker
        return WorkerWait(
            self._hook,
            stage.api,
            stage.ids,
            stage.api_params,
            rules=rules,
            overrides=self._overrides(stage),
            group=_ALL,
            log=self.log.info,
        )

    def _overrides(self, stage: Stage) -> StatusOverrides:
        # The statuses are those of the tasks, not of a job before them.
        if stage.api is not self.api:
            return CATALOG_STATUSES
        return StatusOverrides.of(self.success_statuses, self.failure_statuses)

    def _first_look(self, stage: Stage, deadline: float) -> tuple[WorkerWait, bool]:
        """Read the tasks, again as long as they are new and not to be found; tells whether they have ended."""
        rounds = self._rounds(stage, replace(self.rules, missing="wait"))
        until = min(time.time() + UNSEEN_SECONDS, deadline)
        while not (is_over := rounds.read(until_one_goes_on=self.deferrable)):
            unseen = any(isinstance(end, Waiting) and isinstance(end.why, NotFound) for end in rounds.seen)
            if not unseen or time.time() > until:
                break
            time.sleep(_UNSEEN_INTERVAL)
        return rounds, is_over

    def _stay(self, stage: Stage, deadline: float) -> list[Verdict]:
        """Wait in the worker."""
        rounds, polls = self._rounds(stage, self.rules), 0
        while True:
            left = deadline - time.time()
            polls += 1
            time.sleep(next_delay(self.rules, polls, left))
            if rounds.read() or left <= 0:
                return rounds.seen

    def _defer(self, attempt: Attempt, number: int, stage: Stage, deadline: float) -> None:
        overrides = self._overrides(stage)
        now = time.time()
        # Airflow's own timeout of a trigger cancels nothing: the trigger is to end before.
        most = min(max(deadline - now, 0.0), self._longest)
        self.defer(
            trigger=CloudTaskTrigger(
                api=stored_api(stage.api),
                cloud_task_id=list(stage.ids) if len(stage.ids) > 1 else stage.ids[0],
                api_params=stage.api_params,
                conn_id=self.conn_id,
                region=self.region,
                success_statuses=list(overrides.success),
                failure_statuses=list(overrides.failure),
                poke_interval=self.rules.poke_interval,
                exponential_backoff=self.rules.exponential_backoff,
                max_wait=self.rules.max_wait,
                on_unknown=self.rules.on_unknown,
                deadline=now + most,
                cancel=None if self._on_kill is None else self._on_kill.as_dict(),
                carried={"attempt": attempt.as_dict(), "stage": number, "deadline": deadline},
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=most) + TIMEOUT_GRACE,
        )

    def _conclude(self, context: Context, stage: Stage, ends: Sequence[Verdict]) -> list[CloudTask]:
        assert self._hook is not None  # noqa: S101 - for the type checker
        ends = explain_failures(self._hook, stage.api, ends, stage.api_params)
        tasks = [task for end in ends if (task := seen(end)) is not None]
        keep_link(context, self._hook, stage.api, tasks)
        try:
            conclude(ends, _ALL, many=True)
        except CloudTaskFailed as failed:
            # The next try starts anew, whatever it could remember; but not beside one of an unknown status.
            if all(task.done for task in failed.tasks):
                memory_of(context).forget()
                self._on_kill = None
            raise
        except WaitTimedOut as error:
            if self._on_kill is not None and self._on_kill.carry_out(self._hook):
                # What is canceled may be gone, and the next try would not know what became of it.
                memory_of(context).forget()
            longest = min(self.timeout, self._longest)
            raise WaitTimedOut(f"{stage.api.name} took longer than {longest:g} seconds; {error}") from None
        for task in tasks:
            self.log.info("%s", task)
        return tasks

    def _returned(self, context: Context, stage: Stage, tasks: Sequence[CloudTask]) -> Any:
        if stage.api is self.api and all(task.done for task in tasks):
            # A signal that comes from here on finds nothing to cancel.
            self._on_kill = None
        if self.start.ids_param is not None and stage.api is self.api:
            return [task.as_dict() for task in tasks]
        result = tasks[0].as_dict() | self.outputs(tasks[0])
        if self.pushes_parts and self.do_xcom_push:
            # Not left to Airflow, whose 3.0 takes no None for an XCom.
            for name, value in result.items():
                if value is not None:
                    context["ti"].xcom_push(key=name, value=value)
        return result


def _unseen(stage: Stage, index: int) -> CloudTask:
    """Give a task that has been started and could not be read."""
    return CloudTask(api=stage.api.name, cloud=stage.api.cloud, id=stage.ids[index], state=TaskState.UNKNOWN)


def _given(parameters: Any) -> dict[str, Any]:
    """Leave out what is None: arguments that were not given, and templates that came to nothing."""
    if not isinstance(parameters, Mapping | None):
        raise InvalidArguments(f"parameters is {parameters!r:.200}; expected a dict by the vendor's names.")
    return {name: value for name, value in (parameters or {}).items() if value is not None}


def _seconds(name: str, value: Any) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    # Airflow keeps times, and no time is further away than some thousand years.
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < _LONGEST:
        raise ValueError(f"{name} is {value!r}; expected a number of seconds of at least 0, or a timedelta.")
    return float(seconds)


def _listed(callbacks: Any) -> list[Any]:
    return [] if callbacks is None else list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]


def _forget(context: Context) -> None:
    memory_of(context).end()
