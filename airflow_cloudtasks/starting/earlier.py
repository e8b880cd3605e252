"""Read and cancel the tasks of an earlier try, with the API, account and region of that try."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.errors import BadRequest, CloudApiError, Invalid, InvalidArguments, NotFound
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.protocol.start_requests import ids_from_job
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES, StatusOverrides
from airflow_cloudtasks.starting.attempt import UNSEEN_SECONDS, Attempt
from airflow_cloudtasks.starting.on_kill import FOUND_ONLY
from airflow_cloudtasks.starting.stages import Stage, stages

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.model import CloudTask
    from airflow_cloudtasks.spec import Start, TaskApi
    from airflow_cloudtasks.starting.decision import Cloud

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The tasks of an earlier try.

    Args:
        attempt: The start of that try.
        hook: Calls the cloud with that try's account and region.
        api: The API that reads the tasks.
        start: The action that started them.
        parameters: The current parameters, for an attempt that stores none.
        overrides: Statuses of the tasks that this wait maps to another state than the catalog does.
        problem: Why nothing can be read; None if it can.
    """

    attempt: Attempt
    hook: CloudTasksHook
    api: TaskApi
    start: Start
    parameters: Mapping[str, Any]
    overrides: StatusOverrides
    problem: Invalid | None = None

    def elsewhere(self) -> Self:
        """Return the same tasks, to be read with the API, the account and the region of the attempt."""
        asked = self.attempt.asked
        try:
            # The catalog does not know a user's own API.
            api = self.api if asked.api == self.api.name else find_api(asked.api)
            start = api.start(asked.action)
        except ValueError as error:
            return replace(self, problem=InvalidArguments(str(error)))
        hook = hook_for(api, asked.conn_id, asked.region or None)
        return replace(self, hook=hook, api=api, start=start, parameters={}, overrides=NO_OVERRIDES)

    def __str__(self) -> str:
        """Return the tasks as a message names them."""
        named = self.attempt.ids or ((f"of job {self.attempt.job}",) if self.attempt.job else ())
        return f"{self.attempt.asked.api or self.api.name} {', '.join(named)}".strip()

    @property
    def can_be_canceled(self) -> bool:
        """Whether the vendor can cancel the tasks, and the Airflow task surely started them."""
        return self.api.cancel is not None and self.attempt.is_ours and self.problem is None and bool(self.attempt.ids)

    @property
    def why_kept(self) -> str:
        """Why the tasks are not canceled."""
        if not self.attempt.is_ours:
            return FOUND_ONLY
        if not self.attempt.ids:
            return "their ids are not known before their job has ended."
        return f"{self.api.service.product} has no action that cancels such a task."

    def job_ids(self) -> tuple[str, ...]:
        """Return the ids of the tasks that the job has made; empty if it has not, or cannot be read."""
        if self.problem is not None:
            return ()
        try:
            [stage] = stages(self.api, self.start, self.parameters, self.attempt)
            [job] = self._read_stage(stage)
            return ids_from_job(self.start, job) if job.done else ()
        except (CloudApiError, Invalid):  # The next read tells the reason.
            return ()

    def says(self) -> tuple[Cloud, CloudApiError | Invalid | None]:
        """Return what the cloud says about the tasks, and the error of the read, if there is one."""
        if self.problem is not None:
            return "rejected", self.problem
        try:
            tasks = self._read()
        except NotFound as error:
            return ("unseen" if time.time() - self.attempt.sent_at <= UNSEEN_SECONDS else "gone"), error
        except (BadRequest, Invalid) as error:
            return "rejected", error
        except CloudApiError as error:
            return ("unreadable" if error.retryable else "denied"), error
        if not all(task.done for task in tasks):
            return "running", None
        return ("succeeded" if all(task.ok for task in tasks) else "failed"), None

    def cancel(self) -> None:
        """Cancel the tasks. Log it if the cloud refuses, e.g. because they have ended.

        Raises:
            CloudApiError: The cloud could not be asked for now; the tasks may still run.
        """
        known = {**self.parameters, **self.attempt.asked.params}
        try:
            for request in self.hook.cancel_requests(self.api, self.attempt.ids, known):
                self.hook.cancel(self.api, request)
        except (CloudApiError, Invalid) as error:
            if getattr(error, "retryable", False):
                raise
            failed = "%s could not be canceled" if len(self.attempt.ids) == 1 else "Not all of %s could be canceled"
            _log.warning(f"{failed} and may still run: %s", self, error)
        else:
            _log.info("Canceled %s.", self)

    def _read(self) -> list[CloudTask]:
        """Return the tasks; in front of them their job, unless it has succeeded."""
        *before, last = stages(self.api, self.start, self.parameters, self.attempt)
        jobs = [job for stage in before for job in self._read_stage(stage)]
        if not all(job.done for job in jobs):
            # Until the job has ended, the tasks may still show their state before the start.
            return jobs
        failed = [job for job in jobs if not job.ok]
        try:
            # A job that has failed may have set some of the tasks going.
            return [*failed, *self._read_stage(last)]
        except NotFound:
            if failed:
                return failed
            raise

    def _read_stage(self, stage: Stage) -> list[CloudTask]:
        overrides = self.overrides if stage.api is self.api else NO_OVERRIDES
        overrides = replace(overrides, ended_since=stage.ended_since)
        return [self.hook.read_task(stage.api, each, stage.api_params, overrides) for each in stage.ids]
