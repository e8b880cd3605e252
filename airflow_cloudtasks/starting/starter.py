"""Start a task once, however often Airflow tries."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.errors import CloudApiError, CloudTasksError, Invalid, NotFound, StartUnknown, TransientError
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.start_requests import (
    StartAnswer,
    can_find,
    identifying_params,
    look_up_scope,
    look_up_texts,
    read_start_answer,
    requested_ids,
    shows_mark,
    with_mark,
    with_queue,
)
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES, StatusOverrides
from airflow_cloudtasks.starting.asked import (
    Agreement,
    Asked,
    account_digest,
    agreement,
    digest_of,
    needed_params,
    old_digest,
)
from airflow_cloudtasks.starting.attempt import Attempt, Memory, Progress
from airflow_cloudtasks.starting.decision import Cloud, Situation, Step, decide
from airflow_cloudtasks.starting.doorway import Doorway
from airflow_cloudtasks.starting.earlier import Earlier
from airflow_cloudtasks.starting.finder import Ambiguous, Finder
from airflow_cloudtasks.starting.memory import forget_or_log

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.spec import Start, TaskApi

_log = logging.getLogger(__name__)

# The largest number of requests in one try, if each one certainly started no task or can be recognised by the vendor.
_TRIES = 3
# Vendors do not document how long they recognise a client token. Rely on it for this long.
_TOKEN_SECONDS = 3600.0
# Seconds between two reads of a task that is not shown yet or is being canceled.
_READ_INTERVAL = 2.0
# After a kill, wait this long for the answer to the start request. Airflow 2 allows a killed task 60 seconds.
_ANSWER_SECONDS = 20.0
# The longest time until a canceled task has ended, if the new start would start the same task again.
_CANCEL_SECONDS = 60.0


class Starter:
    """Start a task, or find the one that an earlier try started.

    Args:
        hook: Calls the cloud.
        api: The API that reads the task.
        start: The action that starts it.
        parameters: Its parameters, by the vendor's names.
        memory: Stores the attempt for the next try.
        run: Counts how often the user has cleared the Airflow task.
        identity: Identifies the Airflow task within the row of its DAG run.
        overrides: Statuses of the task that this wait maps to another state than the catalog does.
        doorway: Returns the doorway for a request, shared by all Airflow tasks that ask for the same. None if there is
            no other Airflow task.
        sleep: Waits for a number of seconds.

    Attributes:
        is_found: Whether the task is that of an earlier try, or of a request without an answer.
        region: The region; None if the product has none, or before the connection was looked up.
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
        identity: str = "",
        overrides: StatusOverrides = NO_OVERRIDES,
        doorway: Callable[[Asked], Doorway] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._hook, self._api, self._start, self._parameters = hook, api, start, parameters
        self._memory, self._run, self._identity, self._overrides = memory, run, identity, overrides
        self._doorway_of, self._sleep = doorway, sleep
        self.is_found = False
        self.region: str | None = None
        self._finder = Finder(hook, api, start, parameters, sleep)
        # For a kill during the start: the start of this try, and the answer to its request.
        self._attempt: Attempt | None = None
        self._answer: Future[dict[str, Any]] | None = None

    def started(self) -> Attempt:
        """Start the task, or find it.

        Returns:
            The attempt, which has begun.

        Raises:
            StartUnknown: It is unknown whether a request started a task, or what became of it. Another try might start
                a second one.
            CloudApiError: The cloud did not start it.
            InvalidConnection: The Airflow connection cannot be used.
            InvalidArguments: The vendor does not accept a parameter.
        """
        kept, now = self._kept(), self._asked()
        if kept is None:
            return self._start_new(now)
        agrees = agreement(kept.asked, now, self._old_digest())
        earlier = self._earlier(kept, agrees)
        if earlier.start.job_ids is not None and kept.job is not None and not kept.ids:
            kept = replace(kept, ids=earlier.job_ids())
            earlier = self._earlier(kept, agrees)
        situation = self._situation(kept, agrees, earlier)
        # The next retry belongs to the current run.
        attempt = replace(kept, run=self._run, identity=self._identity, asked=now if agrees == "same" else kept.asked)
        error: CloudTasksError | None = None
        if situation.is_same_row and agrees in ("same", "unknown"):
            self._attempt = attempt
        while True:
            match decide(situation):
                case Step.READ:
                    self._sleep(0 if situation.cloud is None else _READ_INTERVAL)
                    cloud, error = earlier.says()
                    situation = replace(situation, cloud=cloud)
                case Step.LOOK:
                    cloud, error, attempt = self._look(attempt)
                    situation = replace(situation, cloud=cloud)
                case Step.WAIT:
                    self._log_resumed(earlier, situation)
                    self.is_found = True
                    return self._have(attempt) if kept.progress == "asking" else self._note(attempt, "begun")
                case Step.ASK_AGAIN:
                    return self._ask(attempt, unsure=True)
                case Step.SET_GOING:
                    return self._set_going(attempt)
                case Step.CANCEL:
                    why = " was started with other parameters." if agrees in ("other", "elsewhere") else ""
                    _log.warning("%s%s Canceling it to start another one.", earlier, why or " may run.")
                    earlier.cancel()
                    return self._start_new(now, kept, canceled=True)
                case Step.START:
                    self._log_left(earlier, situation)
                    return self._start_new(now, kept)
                case Step.REFUSE:
                    raise self._refusal(earlier, situation, error)
                case Step.RAISE:
                    assert error is not None  # noqa: S101 - for the type checker
                    raise error

    def unanswered(self) -> Attempt | None:
        """Return what the current run has started, e.g. after a kill interrupted the start.

        Returns:
            The attempt; None if nothing was started, or if it is unknown whether a request started a task.

        Raises:
            CloudApiError: The list could not be read, or Airflow could not tell what is stored.
        """
        attempt = self._attempt or self._kept_by_this_run()
        if attempt is None or attempt.progress != "asking":
            return attempt
        if (started := self._late_answer()) is not None:
            return replace(attempt, ids=started.ids, job=started.job)
        if not self._findable(attempt):
            return None
        cloud, error, found = self._look(attempt)
        if isinstance(error, CloudApiError):
            raise error
        return found if cloud == "found" else None

    def _late_answer(self) -> StartAnswer | None:
        """Return the answer to the request that the kill interrupted; None if there is none."""
        if self._answer is None:
            return None
        try:
            answer = self._answer.result(_ANSWER_SECONDS)
            token = self._attempt.token if self._attempt else ""
            parameters = with_mark(self._start, self._parameters, token)
            return read_start_answer(self._api, self._start, parameters, answer)
        except Exception as error:  # a thread passes on any error
            _log.warning("The start request got no answer before the kill: %s", error)
            return None

    def _kept_by_this_run(self) -> Attempt | None:
        kept = self._kept()
        is_current = kept is not None and kept.identity in ("", self._identity) and kept.run == self._run
        return kept if is_current else None

    def _kept(self) -> Attempt | None:
        kept = self._memory.get()
        return None if kept is None else Attempt.from_dict(kept)

    def _asked(self) -> Asked:
        client = self._hook.get_conn()
        self.region = client.region
        return Asked(
            digest=digest_of(self._api, self._start, self._parameters),
            api=self._api.name,
            action=self._start.action.name,
            conn_id=self._hook.conn_id,
            account=account_digest(client.account.credentials.lasting_key_id),
            region=client.region or "",
            params=needed_params(self._api, self._start, self._parameters),
            scope=(scope := look_up_scope(self._start, self._parameters)),
            texts={} if scope else look_up_texts(self._start, self._parameters),
        )

    def _old_digest(self) -> str:
        return old_digest(self._api, self._start, self._parameters, self._hook.conn_id, self._hook.region)

    def _earlier(self, kept: Attempt, agrees: Agreement) -> Earlier:
        earlier = Earlier(kept, self._hook, self._api, self._start, self._parameters, self._overrides)
        return earlier.elsewhere() if agrees == "elsewhere" else earlier

    def _situation(self, kept: Attempt, agrees: Agreement, earlier: Earlier) -> Situation:
        return Situation(
            progress=kept.progress,
            is_same_row=kept.identity in ("", self._identity),
            cleared=kept.run != self._run,
            asked=agrees,
            findable=self._findable(kept),
            cancelable=earlier.can_be_canceled,
            removed_by_cancel=earlier.api.cancel is not None and earlier.api.cancel.removes,
        )

    def _findable(self, attempt: Attempt) -> bool:
        """Return whether the same request again, or a look-up, can resolve a start without an answer."""
        is_recognised = self._start.client_token is not None and time.time() - attempt.sent_at < _TOKEN_SECONDS
        return is_recognised or can_find(self._start, self._parameters)

    def _start_new(self, asked: Asked, kept: Attempt | None = None, *, canceled: bool = False) -> Attempt:
        """Start a new task. An earlier start must not run any more, unless it started other tasks."""
        new = Attempt(
            run=self._run,
            progress="asking",
            token=uuid.uuid4().hex,
            sent_at=time.time(),
            asked=asked,
            identity=self._identity,
        )
        if kept is not None and self._start.ids_param is not None:
            ids = requested_ids(self._api, self._start, self._parameters)
            if running := self._still_running(ids, _CANCEL_SECONDS if canceled else 0.0):
                names = f"{self._api.name} {', '.join(running)}"
                if canceled:
                    raise TransientError(
                        f"{names} was canceled but still runs, and a restart must not interrupt it.",
                        code="StillRunning",
                        action=self._start.action.name,
                        unsent=True,
                    )
                _log.warning("Waiting for %s: a task that runs is not restarted.", names)
                self.is_found = True
                return self._note(replace(new, ids=ids, is_ours=False), "begun")
        return self._ask(new, unsure=False)

    def _still_running(self, ids: Sequence[str], seconds: float) -> list[str]:
        """Return those tasks that still run after a number of seconds."""
        deadline = time.time() + seconds
        while (running := [each for each in ids if self._runs(each)]) and time.time() < deadline:
            self._sleep(_READ_INTERVAL)
        return running

    def _runs(self, task_id: str) -> bool:
        params = identifying_params(self._api, self._start, self._parameters)
        try:
            return not self._hook.read_task(self._api, task_id, params, self._overrides).done
        except NotFound:
            return False

    def _ask(self, attempt: Attempt, *, unsure: bool) -> Attempt:
        """Send the start request until it has certainly started one task.

        Args:
            attempt: The attempt.
            unsure: Whether an earlier request may still start the task, although no look-up found it.
        """
        parameters = with_mark(self._start, self._parameters, attempt.token)
        request = encode(self._api, self._start, self._with_queue(parameters))
        if self._start.ids_param is not None:
            # Refuse a malformed list of ids before anything is sent.
            requested_ids(self._api, self._start, parameters)
        doorway = self._doorway(attempt)
        for tries_left in reversed(range(_TRIES)):
            if doorway is not None:
                is_alone = doorway.enter()
                attempt = replace(attempt, is_alone=is_alone and (attempt.is_alone or not unsure))
            # If this raises, nothing is sent: without a stored attempt, a retry would start a second task.
            self._keep(attempt, "asking")
            try:
                answer = self._send(request)
                started = read_start_answer(self._api, self._start, parameters, answer)
            except (CloudApiError, Invalid) as error:
                if not _may_have_acted(error):
                    if not unsure:
                        forget_or_log(self._memory, self._sleep)
                    raise
                unsure = True
                if not self._findable(attempt):
                    raise self._unknown(str(error)) from error
                _log.warning("The start request got no answer and may have started the task: %s", error)
                cloud, failure, found = self._look(attempt)
                if cloud == "found":
                    self.is_found = True
                    return self._have(found)
                if failure is not None:
                    raise failure from error
                if not tries_left:
                    raise
            else:
                _log.info("Started %s %s.", self._api.name, ", ".join(started.ids) or f"by job {started.job}")
                return self._have(replace(attempt, ids=started.ids, job=started.job))
        raise AssertionError("the last try returns or raises")

    def _with_queue(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the parameters with the queue of the connection, if it has one and there is room for it."""
        queue = None if self._start.notify is None else self._hook.get_conn().account.notify_queue
        if queue is None:
            return parameters
        notified = with_queue(self._start, parameters, queue.name)
        if notified is parameters:
            _log.info(
                "The end of the task is not sent to the queue %s: %s holds another address, is no JSON object, or has "
                "no room for it.",
                queue.name,
                self._start.mark,
            )
        return notified

    def _doorway(self, attempt: Attempt) -> Doorway | None:
        """Return the doorway if a look-up could take the task of another Airflow task for the one of this start."""
        is_told_apart = not can_find(self._start, self._parameters) or shows_mark(
            self._start, self._parameters, attempt.token
        )
        return None if self._doorway_of is None or is_told_apart else self._doorway_of(attempt.asked)

    def _send(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send the start request from a thread: Airflow 2 interrupts the main thread to kill a task."""
        send = partial(self._hook.call, self._api.service, self._start.action, request, repeatable=False)
        # Before the thread starts: an exception may interrupt the next line.
        self._answer = Future()
        Thread(target=_resolve, args=(self._answer, partial(copy_context().run, send)), name="cloud_task_start").start()
        return self._answer.result()

    def _look(self, attempt: Attempt) -> tuple[Cloud, CloudTasksError | None, Attempt]:
        """Look for the task of a request without an answer; return what the cloud says, the error, and the attempt."""
        if not can_find(self._start, self._parameters):
            # The vendor recognises the token of a repeated request.
            return "not_found", None, attempt
        try:
            found = self._finder.find(attempt)
        except Ambiguous as why:
            return "ambiguous", self._unknown(str(why)), attempt
        except CloudApiError as error:
            return ("unreadable" if error.retryable else "rejected"), error, attempt
        if found is None:
            return "not_found", None, attempt
        doorway = None if found.has_mark else self._doorway(attempt)
        if doorway is not None and not (attempt.is_alone and doorway.is_alone(attempt.sent_at)):
            reason = (
                f"The request got no answer. {found.id} has the same parameters, but another Airflow task asked for "
                "the same at that time, so that it may be that task's."
            )
            return "ambiguous", self._unknown(reason), attempt
        _log.info("Found %s %s, the task of the request that got no answer.", self._api.name, found.id)
        return "found", None, replace(attempt, ids=(found.id,), is_ours=found.has_mark)

    def _have(self, attempt: Attempt) -> Attempt:
        """Store the ids of the tasks. If a second action sets them going, send it."""
        if self._start.then is None:
            return self._note(attempt, "begun")
        return self._set_going(self._note(attempt, "made"))

    def _set_going(self, attempt: Attempt) -> Attempt:
        then = self._start.then
        if then is not None:
            self._keep(attempt, "setting_going")
            try:
                request = encode(self._api, self._start, self._parameters)
                parameters = self._start.then_parameters(attempt.ids[0], request)
                self._hook.call(self._api.service, then, parameters, repeatable=False)
            except (CloudApiError, Invalid) as error:
                if _may_have_acted(error):
                    raise self._unknown(f"{attempt.ids[0]} is there, but {then.name} got no answer. {error}") from error
                self._note(attempt, "made")
                raise
        return self._note(attempt, "begun")

    def _keep(self, attempt: Attempt, progress: Progress) -> Attempt:
        """Store the attempt; raise unless Airflow confirms it, so that no request is sent without a stored attempt."""
        self._attempt = replace(attempt, progress=progress)
        self._memory.keep(self._attempt.as_dict())
        return self._attempt

    def _note(self, attempt: Attempt, progress: Progress) -> Attempt:
        """Store the attempt after an answer. If Airflow cannot, continue: this process knows the ids of the tasks."""
        for tries_left in reversed(range(_TRIES)):
            try:
                return self._keep(attempt, progress)
            except CloudTasksError as error:
                if not tries_left:
                    _log.warning("Airflow does not store what was started; a retry may have to look it up. %s", error)
                else:
                    self._sleep(_READ_INTERVAL)
        return replace(attempt, progress=progress)

    def _log_resumed(self, earlier: Earlier, now: Situation) -> None:
        if now.asked == "other":
            _log.warning(
                "Waiting for %s, which an earlier try started with other parameters: a retry starts no second task "
                "beside it. Clear the Airflow task to start one with the current parameters.",
                earlier,
            )
        elif now.progress == "begun":
            _log.info("%s, which an earlier try started, %s.", earlier, _RESUMED[now.cloud])

    def _log_left(self, earlier: Earlier, now: Situation) -> None:
        """Log what happens to the task of the earlier try when another one is started."""
        if not now.is_same_row:
            _log.info("Ignoring %s: another DAG run with the same run_id started it.", earlier)
        elif now.progress == "asking":
            _log.warning("An earlier try may have started a task by %s. Starting another one.", self._name)
        elif now.progress == "made":
            _log.warning("%s was created but not set going. Starting another one.", earlier)
        elif now.progress == "setting_going" or now.cloud == "running":
            _log.warning("%s may still run. It is not canceled: %s Starting another one.", earlier, earlier.why_kept)
        else:
            _log.info("%s has ended or is gone. Starting another one.", earlier)

    def _refusal(self, earlier: Earlier, now: Situation, error: CloudTasksError | None) -> StartUnknown:
        if isinstance(error, StartUnknown):
            return error
        then = self._start.then
        if now.asked == "elsewhere" and now.cloud is not None and now.cloud != "gone":
            return StartUnknown(
                f"{earlier} was started by an earlier try with another API, account or region, so that this try cannot "
                "wait for it. Clear the Airflow task to start another one."
            )
        if now.progress == "begun":
            return StartUnknown(
                f"{earlier} was started by an earlier try, and the cloud no longer knows it, so that its end is "
                f"unknown. Clear the Airflow task to start another one. {error}"
            )
        if now.progress == "setting_going" and then is not None:
            return self._unknown(
                f"{earlier.attempt.ids[0]} is there, and an earlier try ended before {then.name} was answered."
            )
        return self._unknown("An earlier try sent the request and ended before the answer arrived.")

    @property
    def _name(self) -> str:
        return f"{self._api.service.product} {self._start.action.name}"

    def _unknown(self, why: str) -> StartUnknown:
        where = f" ({self._api.service.console})" if self._api.service.console else ""
        return StartUnknown(
            f"Nobody can tell whether {self._name} has started a task, and asking again might start a second one: the "
            f"vendor does not recognise a repeated request. {why} Look the task up in the console{where}; then wait "
            "for it with a sensor, or clear the Airflow task to start another one."
        )


_RESUMED: dict[Cloud | None, str] = {
    "running": "still runs",
    "succeeded": "has succeeded in the meantime",
    "unseen": "is not shown yet; the wait reads it again",
    "unreadable": "cannot be read now; the wait reads it again",
}


def _resolve(answer: Future[dict[str, Any]], send: Callable[[], dict[str, Any]]) -> None:
    try:
        answer.set_result(send())
    except BaseException as error:  # the thread that waits for the answer raises it
        answer.set_exception(error)


def _may_have_acted(error: CloudApiError | Invalid) -> bool:
    """Return whether the cloud may have carried out a request. An invalid request is not sent."""
    return isinstance(error, CloudApiError) and error.may_have_acted
