"""Reads several tasks by their ids in one request. batch.py decides what the answer shows; this module sends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from airflow_cloudtasks.errors import CloudApiError, CredentialsError, InvalidConnection, PermissionDenied, Throttled
from airflow_cloudtasks.spec import ManyIds, TaskApi
from airflow_cloudtasks.waiting.triggerer.batch import entries
from airflow_cloudtasks.waiting.triggerer.delivery import Delivery, always
from airflow_cloudtasks.waiting.triggerer.entries import READ_ALONE_SECONDS, Entries
from airflow_cloudtasks.waiting.triggerer.gate import Kind
from airflow_cloudtasks.waiting.triggerer.requests import Page, Requests
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule, Scope, Subject

_log = logging.getLogger(__name__)

# Seconds within which a batch must be answered once it has left.
_BATCH_SECONDS = 10.0


class BatchReader:
    """Reads the batches of one dispatcher. To the schedule, a batch is a poll of each of its tasks.

    No error of a batch is an error of its tasks, but one of the connection or its key. All others are read alone.

    Args:
        api: The API.
        together: The action that reads several tasks.
        requests: Sends the requests.
        schedule: The schedule of the tasks.
        delivery: Delivers outcomes.
        start: Runs a coroutine as a task.
        refused: Called with an error of the connection or its key that concerns all waits.
    """

    def __init__(
        self,
        api: TaskApi,
        together: ManyIds,
        requests: Requests,
        schedule: Schedule,
        delivery: Delivery,
        start: Callable[[Coroutine[Any, Any, None]], object],
        refused: Callable[[CredentialsError | InvalidConnection, float], Coroutine[Any, Any, None]],
    ) -> None:
        self._api = api
        self._together = together
        self._requests = requests
        self._schedule = schedule
        self._delivery = delivery
        self._entries = Entries(api, delivery)
        self._start = start
        self._refused = refused
        self._loop = asyncio.get_running_loop()

    def start(self, subject: Subject, now: float) -> bool:
        """Start to read a task together with others, and return whether a batch was started.

        Args:
            subject: A task that is due.
            now: Seconds on the clock of the event loop.
        """
        scope = subject.scope
        if scope.batch_cost.requests(1, now) is None:
            return False
        batch = scope.ripe_together(subject, self._api.id_param, self._together.most, now)
        if len(batch) < 2:
            return False
        scope.batch_cost.begin()
        due = {task_id: self._schedule.begin(each, now) for task_id, each in batch.items()}
        self._start(self._read(scope, batch, due, now))
        return True

    async def _read(self, scope: Scope, batch: dict[str, Subject], due: Mapping[str, float], began: float) -> None:
        cost = scope.batch_cost
        try:
            page = await self._requests.read_page(
                self._together.action,
                {**scope.batch_params, self._together.ids_param: list(batch)},
                kind=Kind.BATCH,
                due=min(due.values()),
                waits=len(batch),
                seconds=_BATCH_SECONDS,
            )
            found = entries(self._api, page.answer, batch)
        except Throttled as error:
            now = self._loop.time()
            cost.learn_throttled(began, now)
            for task_id, subject in batch.items():
                self._schedule.settle_throttled(subject, due[task_id], now, error.retry_after, alone=False)
        except (CredentialsError, InvalidConnection) as error:
            for subject in batch.values():
                await self._delivery.deliver(subject, always(error), began)
            await self._refused(error, began)
        except Exception as error:  # also a bug, or an id that fits in no request: then its single read fails alone
            self._fall_back(scope, batch, due, began, error)
        else:
            cost.learn_answered()
            await self._take(batch, due, found, page)

    async def _take(
        self, batch: dict[str, Subject], due: Mapping[str, float], found: Mapping[str, Mapping[str, Any]], page: Page
    ) -> None:
        for task_id, subject in batch.items():
            if task_id in found:
                await self._entries.take(subject, found[task_id], page, polled=True, may_end=self._together.complete)
            else:
                # A batch may leave out what a single read shows.
                subject.alone_until = self._loop.time() + READ_ALONE_SECONDS
                self._schedule.settle_unread(subject, due[task_id])

    def _fall_back(
        self, scope: Scope, batch: dict[str, Subject], due: Mapping[str, float], began: float, error: Exception
    ) -> None:
        """Read the tasks of a failed batch alone: for a while after an error that may pass, otherwise each once."""
        now = self._loop.time()
        passes = isinstance(error, TimeoutError) or (isinstance(error, CloudApiError) and error.retryable)
        if passes:
            scope.batch_cost.learn_failed(began, now)
        else:
            _log.warning("%s: %d tasks are read one by one. %s", self._api.name, len(batch), error)
            scope.batch_cost.learn_refused(now, for_good=isinstance(error, PermissionDenied))
        for task_id, subject in batch.items():
            subject.is_suspect = not passes
            self._schedule.settle_unread(subject, due[task_id])
