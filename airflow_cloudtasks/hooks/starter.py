"""Starts a task once, however often Airflow tries: a retry finds what an earlier try has started, or says it cannot."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from airflow_cloudtasks.encoding import encode
from airflow_cloudtasks.errors import CloudApiError, NotFound, StartUnknown
from airflow_cloudtasks.paging import Pages
from airflow_cloudtasks.starting import begun, can_find, earliest, is_it, names, with_mark
from airflow_cloudtasks.values import at, text

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.model import CloudTask
    from airflow_cloudtasks.spec import Start, TaskApi

_log = logging.getLogger(__name__)

# A start request is sent so often at most, while it is sure, or can be made sure, that none has started a task.
_TRIES = 3
# A list may show a new task a moment later than it was made: it is looked at so often, with so many seconds between.
_LOOKS = 3
_SECONDS_BETWEEN_LOOKS = 3.0
_MOST_PAGES = 50

# asking: the request was sent, and is not answered. made: the task is there, but has yet to be set going.
# setting_going: the request for that is not answered. begun: all is answered.
Stage = Literal["asking", "made", "setting_going", "begun"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One start, as far as it has come. What Airflow remembers of it.

    Args:
        run: Which of the user's runs of the Airflow task it belongs to: its retries have the same, a run after the
            user cleared it another one.
        stage: How far it has come.
        token: The token of this start alone.
        sent_at: Unix seconds when the request was sent for the first time.
        ids: The ids of the tasks.
        job: The id of the job that has to end before they have begun.
    """

    run: int
    stage: Stage
    token: str
    sent_at: float
    ids: tuple[str, ...] = ()
    job: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON types."""
        return asdict(self) | {"ids": list(self.ids)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make it again of what :meth:`as_dict` gave."""
        return cls(**{**data, "ids": tuple(data["ids"])})


class Memory(Protocol):
    """One value that outlives the process that runs a task of Airflow."""

    def get(self) -> dict[str, Any] | None:
        """Give what was kept; None where there is nothing."""

    def keep(self, value: dict[str, Any]) -> None:
        """Keep a value of plain JSON types, in the place of the one before."""

    def forget(self) -> None:
        """Keep nothing any more."""


class Starter:
    """Starts a task, or finds the one that an earlier try has started.

    Args:
        hook: What calls the cloud.
        api: The API that reads the task.
        start: The action that starts it.
        parameters: Its parameters, by the vendor's names.
        memory: What outlives this process.
        run: Which of the user's runs of the Airflow task this is.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        hook: CloudTasksHook,
        api: TaskApi,
        start: Start,
        parameters: Mapping[str, Any],
        memory: Memory,
        *,
        run: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._hook, self._api, self._start, self._parameters = hook, api, start, parameters
        self._memory, self._run, self._sleep = memory, run, sleep
        self._names = names(api, start, parameters)

    def started(self) -> Attempt:
        """Start the task, or find it.

        Returns:
            The attempt, which has begun.

        Raises:
            StartUnknown: Nobody can tell whether a request has started a task, or what became of it. Trying again
                might start a second one.
            CloudApiError: The cloud did not start it.
            InvalidConnection: The Airflow connection cannot be used.
            InvalidArguments: A parameter is none that the vendor takes.
        """
        if (kept := self._memory.get()) is not None:
            attempt = Attempt.from_dict(kept)
            cleared = attempt.run != self._run
            if (going_on := self._go_on(replace(attempt, run=self._run), cleared=cleared)) is not None:
                return going_on
        return self._ask(Attempt(run=self._run, stage="asking", token=uuid.uuid4().hex, sent_at=time.time()))

    def _go_on(self, attempt: Attempt, *, cleared: bool) -> Attempt | None:
        """Go on with an earlier try's start; None where a new one is due."""
        match attempt.stage:
            case "begun":
                if not self._is_worth_waiting_for(attempt, cleared=cleared):
                    return None
                self._memory.keep(attempt.as_dict())
                return attempt
            case "made":
                return self._set_going(attempt)
            case "asking" if self._is_tellable:
                return self._ask(attempt, begin_by_looking=True)
        if cleared:
            _log.warning("%s was asked to start a task, and did not answer; the user wants another one.", self._name)
            return None
        raise self._unknown("An earlier try asked for it and did not live to see the answer.")

    def _is_worth_waiting_for(self, attempt: Attempt, *, cleared: bool) -> bool:
        told = f"{self._api.name} {', '.join(attempt.ids)}"
        try:
            tasks = self._read(attempt)
        except NotFound as error:
            if cleared:
                return False
            raise StartUnknown(
                f"{told} was started by an earlier try, and the cloud knows it no more, so that nobody can tell how it "
                f"ended. Clear the Airflow task to start another one. {error}"
            ) from error
        except CloudApiError as error:
            if not error.retryable:
                raise
            tasks = []  # The wait asks again.
        if any(not task.done for task in tasks) or not tasks:
            _log.info("Going on with %s, which an earlier try has started.", told)
            return True
        if cleared or not all(task.ok for task in tasks):
            _log.info("Starting anew: %s, which an earlier try has started, has ended.", told)
            return False
        _log.info("%s, which an earlier try has started, has ended meanwhile.", told)
        return True

    def _read(self, attempt: Attempt) -> list[CloudTask]:
        if attempt.job is not None and self._start.job_api is not None:
            from airflow_cloudtasks.catalog import find_api

            job_api = find_api(self._start.job_api)
            job = self._hook.read_task(job_api, attempt.job, names(job_api, self._start, self._parameters))
            # Until it has ended, the tasks are as they were before.
            if not job.done:
                return [job]
        return [self._hook.read_task(self._api, each, self._names) for each in attempt.ids]

    def _ask(self, attempt: Attempt, *, begin_by_looking: bool = False) -> Attempt:
        """Send the start request until it is sure that it has started a task, and one only."""
        parameters = with_mark(self._start, self._parameters, attempt.token)
        request = encode(self._api, self._start, parameters)
        # Whether a request is under way that may have started the task.
        unsure = begin_by_looking
        if unsure and (found := self._find(attempt, parameters)) is not None:
            return found
        for tries_left in reversed(range(_TRIES)):
            self._memory.keep(attempt.as_dict())
            try:
                answer = self._hook.call(self._api.service, self._start.action, request, repeatable=False)
                told = begun(self._api, self._start, parameters, answer)
            except CloudApiError as error:
                if not error.may_have_acted:
                    if not unsure:
                        self._memory.forget()
                    raise
                unsure = True
                if not self._is_tellable:
                    raise self._unknown(str(error)) from error
                _log.warning("Not answered, so that it may have been done: %s", error)
                if (found := self._find(attempt, parameters)) is not None:
                    return found
                if not tries_left:
                    raise
            else:
                return self._have(replace(attempt, ids=told.ids, job=told.job))
        raise AssertionError("the last try returns or raises")

    @property
    def _is_tellable(self) -> bool:
        """Whether the vendor can tell a request that it gets twice, or which task a request has started."""
        return self._start.client_token is not None or can_find(self._start, self._parameters)

    def _find(self, attempt: Attempt, parameters: Mapping[str, Any]) -> Attempt | None:
        """Look for the task of a request that was not answered; None where there is none."""
        find = self._start.find
        if find is None:
            return None  # The client token lets it be sent again.
        since = earliest(attempt.sent_at)
        for look in range(_LOOKS):
            self._sleep(_SECONDS_BETWEEN_LOOKS if look else 0)
            scope = {name: str(parameters[name]) for name in find.tasks.action.params}
            pages = Pages(find.tasks, scope, self._api.name, since.strftime("%Y-%m-%dT%H:%M:%SZ"))
            found: list[str] = []
            while pages.next_page is not None and pages.read < _MOST_PAGES:
                listed = pages.take(self._hook.call(self._api.service, find.tasks.action, pages.next_page))
                found += [
                    task_id
                    for task in listed
                    if is_it(self._api, self._start, parameters, task, since) and (task_id := text(at(task, find.id)))
                ]
            if len(found) > 1:
                raise self._unknown(
                    f"The request was not answered, and it may have started any of {', '.join(found)}: all of them "
                    "were started lately with the same parameters."
                )
            if found:
                _log.info("Found %s %s, which the request has started that was not answered.", self._api.name, found[0])
                return self._have(replace(attempt, ids=(found[0],)))
        return None

    def _have(self, attempt: Attempt) -> Attempt:
        if self._start.then is not None:
            made = replace(attempt, stage="made")
            self._memory.keep(made.as_dict())
            return self._set_going(made)
        ready = replace(attempt, stage="begun")
        self._memory.keep(ready.as_dict())
        return ready

    def _set_going(self, attempt: Attempt) -> Attempt:
        then = self._start.then
        if then is not None:
            self._memory.keep(replace(attempt, stage="setting_going").as_dict())
            try:
                self._hook.call(self._api.service, then, {then.params[0]: attempt.ids[0]}, repeatable=False)
            except CloudApiError as error:
                if error.may_have_acted:
                    raise self._unknown(f"{attempt.ids[0]} is there, but {then.name} got no answer. {error}") from error
                self._memory.keep(attempt.as_dict())
                raise
        ready = replace(attempt, stage="begun")
        self._memory.keep(ready.as_dict())
        return ready

    @property
    def _name(self) -> str:
        return f"{self._api.service.title or self._api.service.name} {self._start.action.name}"

    def _unknown(self, why: str) -> StartUnknown:
        where = f" ({self._api.service.console})" if self._api.service.console else ""
        return StartUnknown(
            f"Nobody can tell whether {self._name} has started a task, and asking again might start a second one: the "
            f"vendor does not know a request that it gets twice. {why} Look the task up in the console{where}; then "
            "wait for it with a sensor, or clear the Airflow task to start another one."
        )
