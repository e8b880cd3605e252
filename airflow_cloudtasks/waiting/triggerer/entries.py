"""Delivers the task objects of a list or a batch to the waits on each task."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.normalise import fingerprint, normalise_object
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.waiting.triggerer.delivery import Delivery
from airflow_cloudtasks.waiting.triggerer.requests import Page
from airflow_cloudtasks.waiting.triggerer.schedule import Subject

# Seconds for which a task is read alone after a list or a batch did not show it, or not enough of it.
READ_ALONE_SECONDS = 300.0


class Entries:
    """Deliver the entries of lists and batches.

    Args:
        api: The API of the tasks.
        delivery: Delivers outcomes.
    """

    def __init__(self, api: TaskApi, delivery: Delivery) -> None:
        self._api = api
        self._delivery = delivery
        self._loop = asyncio.get_running_loop()

    async def take(self, subject: Subject, task: Mapping[str, Any], page: Page, *, polled: bool, may_end: bool) -> None:
        """Deliver what an entry shows. If waits cannot end by it, the task is read alone.

        Args:
            subject: The task.
            task: The task object.
            page: The answer that holds it.
            polled: Whether the task counted as being polled.
            may_end: Whether the entry holds everything that a single read returns.
        """
        values = fingerprint(self._api, task)
        if subject.fingerprint == values:
            await self._delivery.deliver_unchanged(subject, page.asked_at, polled=polled)
            return

        def read(overrides: StatusOverrides) -> CloudTask:
            return normalise_object(
                self._api, task, page.answer, parameters=subject.parameters, region=page.region, overrides=overrides
            )

        taken = await self._delivery.deliver(
            subject, read, page.asked_at, polled=polled, is_entry=True, may_end=may_end
        )
        if taken.by_all:
            subject.fingerprint = values
        elif taken.needs_more:
            subject.alone_until = self._loop.time() + READ_ALONE_SECONDS
