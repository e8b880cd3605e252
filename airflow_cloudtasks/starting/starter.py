"""Starts a task once, however often Airflow tries: a retry finds what an earlier try has started, or says it cannot."""

from __future__ import annotations

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.errors import BadRequest, CloudApiError, Invalid, NotFound, StartUnknown
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.start_requests import can_find, read_start_answer, requested_ids, with_mark
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES, StatusOverrides
from airflow_cloudtasks.starting.attempt import UNSEEN_SECONDS, Attempt, Memory, Progress
from airflow_cloudtasks.starting.finder import CannotTell, Finder
from airflow_cloudtasks.starting.stages import stages

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.model import CloudTask
    from airflow_cloudtasks.spec import Start, TaskApi

_log = logging.getLogger(__name__)

# A start request is sent so often at most, while it is sure, or can be made sure, that none has started a task.
_TRIES = 3
# A vendor that knows a request by its client token does not say for how long. So long is what the token started known.
_TOKEN_SECONDS = 3600.0


class Starter:
    """Starts a task, or finds the one that an earlier try has started.

    Args:
        hook: What calls the cloud.
        api: The API that reads the task.
        start: The action that starts it.
        parameters: Its parameters, by the vendor's names.
        memory: What outlives this process.
        run: Which of the user's runs of the Airflow task this is.
        overrides: Statuses of the task that mean something else for this wait.
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
        overrides: StatusOverrides = NO_OVERRIDES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._hook, self._api, self._start, self._parameters = hook, api, start, parameters
        self._memory, self._run, self._overrides = memory, run, overrides
        self._finder = Finder(hook, api, start, parameters, sleep)

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
        new = Attempt(
            run=self._run, progress="asking", token=uuid.uuid4().hex, sent_at=time.time(), asked=self._digest()
        )
        return self._ask(new, unsure=False)

    def unanswered(self) -> Attempt | None:
        """Find the task of a start that was interrupted; None where there is none, or nobody can tell.

        Raises:
            CloudApiError: The list could not be read.
        """
        kept = self._memory.get()
        attempt = None if kept is None else Attempt.from_dict(kept)
        if attempt is None or attempt.progress != "asking":
            return attempt
        try:
            return self._find(attempt) if self._can_tell(attempt) else None
        except StartUnknown:
            return None

    def _go_on(self, attempt: Attempt, *, cleared: bool) -> Attempt | None:
        """Go on with an earlier try's start; None where a new one is due."""
        match attempt.progress:
            case "begun":
                if not self._is_worth_waiting_for(attempt, cleared=cleared):
                    return None
                self._memory.keep(attempt.as_dict())
                return attempt
            case "made" if not cleared:
                return self._set_going(attempt)
            case "asking" if self._can_tell(attempt):
                try:
                    return self._find(attempt) or self._ask(attempt, unsure=True)
                except (StartUnknown, CloudApiError) as error:
                    if not cleared or getattr(error, "retryable", False):
                        raise
        if cleared:
            _log.warning("An earlier try may have started a task by %s; the user wants another one.", self._name)
            return None
        if attempt.progress == "setting_going" and self._start.then is not None:
            raise self._unknown(
                f"{attempt.ids[0]} is there, and an earlier try did not live to see {self._start.then.name} answered."
            )
        raise self._unknown("An earlier try asked for it and did not live to see the answer.")

    def _is_worth_waiting_for(self, attempt: Attempt, *, cleared: bool) -> bool:
        label = f"{self._api.name} {', '.join(attempt.ids)}"
        try:
            tasks = self._read(attempt)
        except NotFound as error:
            # A kill cannot say so here: it may have come by the triggerer, or in the middle of anything.
            is_canceled = self._api.cancel is not None and self._api.cancel.removes
            is_new = time.time() - attempt.sent_at <= UNSEEN_SECONDS
            if cleared or (is_canceled and not is_new):
                return False
            if not is_new:
                raise StartUnknown(
                    f"{label} was started by an earlier try, and the cloud knows it no more, so that nobody can tell "
                    f"how it ended. Clear the Airflow task to start another one. {error}"
                ) from error
            tasks = []  # The wait asks again.
        except CloudApiError as error:
            if cleared and isinstance(error, BadRequest):
                return False  # What was started then may have been something else.
            # A user who has cleared the Airflow task wants another one, unless this one is sure to go on.
            if cleared or not error.retryable:
                raise
            tasks = []  # The wait asks again.
        if any(not task.done for task in tasks) or not tasks:
            _log.info("Going on with %s, which an earlier try has started.", label)
            return True
        if cleared or not all(task.ok for task in tasks):
            _log.info("Starting anew: %s, which an earlier try has started, has ended.", label)
            return False
        _log.info("%s, which an earlier try has started, has ended meanwhile.", label)
        return True

    def _read(self, attempt: Attempt) -> list[CloudTask]:
        *before, last = stages(self._api, self._start, self._parameters, attempt)
        for stage in before:
            jobs = [self._hook.read_task(stage.api, each, stage.api_params) for each in stage.ids]
            # Until all have ended well, the tasks are as they were before.
            if not all(job.done and job.ok for job in jobs):
                return jobs
        return [self._hook.read_task(last.api, each, last.api_params, self._overrides) for each in last.ids]

    def _ask(self, attempt: Attempt, *, unsure: bool) -> Attempt:
        """Send the start request until it is sure that it has started a task, and one only.

        Args:
            attempt: The attempt.
            unsure: Whether a request is under way that may have started the task, though it is not to be found.
        """
        parameters = with_mark(self._start, self._parameters, attempt.token)
        request = encode(self._api, self._start, parameters)
        if self._start.ids_param is not None:
            # What is no list of ids is refused while nothing is done.
            requested_ids(self._api, self._start, parameters)
        for tries_left in reversed(range(_TRIES)):
            self._memory.keep(attempt.as_dict())
            try:
                answer = self._hook.call(self._api.service, self._start.action, request, repeatable=False)
                started = read_start_answer(self._api, self._start, parameters, answer)
            except (CloudApiError, Invalid) as error:
                if not _may_have_acted(error):
                    if not unsure:
                        self._memory.forget()
                    raise
                unsure = True
                if not self._can_tell(attempt):
                    raise self._unknown(str(error)) from error
                _log.warning("Not answered, so that it may have been done: %s", error)
                if (found := self._find(attempt)) is not None:
                    return found
                if not tries_left:
                    raise
            else:
                return self._have(replace(attempt, ids=started.ids, job=started.job))
        raise AssertionError("the last try returns or raises")

    def _find(self, attempt: Attempt) -> Attempt | None:
        """Look for the task of a request that was not answered; None where it is sure, or does not matter."""
        try:
            is_listed = can_find(self._start, self._parameters)
            task_id = self._finder.find(attempt) if is_listed else None
        except CannotTell as why:
            raise self._unknown(str(why)) from None
        if task_id is None:
            return None
        _log.info("Found %s %s, which the request has started that was not answered.", self._api.name, task_id)
        return self._have(replace(attempt, ids=(task_id,)))

    def _digest(self) -> str:
        """Digest what is asked for, and where."""
        request = encode(self._api, self._start, self._parameters)
        asked = [self._hook.conn_id, self._hook.region, self._api.name, self._start.action.name, request]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def _can_tell(self, attempt: Attempt) -> bool:
        """Whether the vendor can tell a request that it gets twice, or which task a request has started."""
        if attempt.asked != self._digest():
            return False
        is_known = self._start.client_token is not None and time.time() - attempt.sent_at < _TOKEN_SECONDS
        return is_known or can_find(self._start, self._parameters)

    def _have(self, attempt: Attempt) -> Attempt:
        return (
            self._keep(attempt, "begun") if self._start.then is None else self._set_going(self._keep(attempt, "made"))
        )

    def _set_going(self, attempt: Attempt) -> Attempt:
        then = self._start.then
        if then is not None:
            self._keep(attempt, "setting_going")
            try:
                self._hook.call(self._api.service, then, {then.params[0]: attempt.ids[0]}, repeatable=False)
            except (CloudApiError, Invalid) as error:
                if _may_have_acted(error):
                    raise self._unknown(f"{attempt.ids[0]} is there, but {then.name} got no answer. {error}") from error
                self._keep(attempt, "made")
                raise
        return self._keep(attempt, "begun")

    def _keep(self, attempt: Attempt, progress: Progress) -> Attempt:
        kept = replace(attempt, progress=progress)
        self._memory.keep(kept.as_dict())
        return kept

    @property
    def _name(self) -> str:
        return f"{self._api.service.product} {self._start.action.name}"

    def _unknown(self, why: str) -> StartUnknown:
        where = f" ({self._api.service.console})" if self._api.service.console else ""
        return StartUnknown(
            f"Nobody can tell whether {self._name} has started a task, and asking again might start a second one: the "
            f"vendor does not know a request that it gets twice. {why} Look the task up in the console{where}; then "
            "wait for it with a sensor, or clear the Airflow task to start another one."
        )


def _may_have_acted(error: CloudApiError | Invalid) -> bool:
    """Whether what a request asked for may have been done. With what is invalid, it is not even sent."""
    return isinstance(error, CloudApiError) and error.may_have_acted
