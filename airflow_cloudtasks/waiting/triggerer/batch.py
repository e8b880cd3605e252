"""When tasks can be read together by their ids, and what the answer shows of each. Pure.

A batch is one request that reads several tasks by their ids.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airflow_cloudtasks.errors import MalformedAnswer
from airflow_cloudtasks.protocol.normalise import fingerprint
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.values import at, text

# Seconds without batches after a failure; doubled with each failure.
_FIRST_REST = 5.0
_LONGEST_REST = 60.0

# Batches refused in a row after which their ids are not to blame, and the seconds without batches after that.
_MOST_REFUSED = 3
_REFUSED_REST = 600.0

# Batches throttled in a row after which tasks are read one by one for a while: only batches may be throttled.
_MOST_THROTTLED = 10


class BatchCost:
    """Whether the tasks of one scope can be read in batches at present, and in how many.

    Args:
        most: The number of ids in one request; 0 if the tasks cannot be read together.
    """

    __slots__ = ("_failed_at", "_failures", "_is_probing", "_most", "_not_before", "_refused", "_throttled")

    def __init__(self, most: int) -> None:
        self._most = most
        self._failures = self._refused = self._throttled = 0
        self._not_before = self._failed_at = float("-inf")
        self._is_probing = False

    def requests(self, tasks: int, now: float) -> int | None:
        """Return the number of batches that read some tasks; None while there are to be none.

        Args:
            tasks: The number of tasks.
            now: Seconds on any steady clock.
        """
        if not self._most or now < self._not_before or (self._failures and self._is_probing):
            return None
        return math.ceil(tasks / self._most)

    def begin(self) -> None:
        """Note that a batch leaves. After a failure, it is the only one until it is answered."""
        self._is_probing = True

    def learn_answered(self) -> None:
        """Note that a batch was answered."""
        self._failures = self._refused = self._throttled = 0

    def learn_failed(self, began: float, now: float) -> None:
        """Note that a batch failed for a reason that may pass; there are none for a while.

        Args:
            began: When the batch began. Batches that fail together count once.
            now: Seconds on the clock of :meth:`requests`.
        """
        if began > self._failed_at:
            self._failed_at = now
            self._rest(now, min(_FIRST_REST * 2**self._failures, _LONGEST_REST))
            self._failures += 1

    def learn_throttled(self, began: float, now: float) -> None:
        """Note that a batch was throttled. The gate slows down for it."""
        self._throttled += 1
        self._is_probing = False
        if self._throttled >= _MOST_THROTTLED:
            self._throttled = 0
            self.learn_failed(began, now)

    def learn_refused(self, now: float, *, for_good: bool) -> None:
        """Note that a batch was refused, perhaps for one of its ids.

        Args:
            now: Seconds on the clock of :meth:`requests`.
            for_good: Whether the next batch would be refused, too, e.g. because the key has no permission.
        """
        self._refused += 1
        self._is_probing = False
        if for_good or self._refused >= _MOST_REFUSED:
            self._rest(now, _REFUSED_REST)

    def _rest(self, now: float, seconds: float) -> None:
        self._is_probing = False
        self._not_before = max(self._not_before, now + seconds)


def entries(api: TaskApi, answer: Any, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """Return the object of each task that the answer to a batch shows beyond doubt, by its id.

    Objects of other tasks are left out, and tasks of which two objects differ.

    Args:
        api: The API; it has ``read_many``.
        answer: The answer of the cloud.
        ids: The ids that were asked for.

    Raises:
        MalformedAnswer: The answer has no list; the error names the api and the field.
    """
    assert api.read_many is not None  # noqa: S101 - for the type checker
    rows = at(answer, api.read_many.tasks)
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise MalformedAnswer(
            f"{api.name}: {api.read_many.tasks} holds no list",
            api=api.name,
            field=api.read_many.tasks,
            action=api.read_many.action.name,
        )
    found: dict[str, Mapping[str, Any]] = {}
    differing: set[str] = set()
    for row in rows:
        task_id = text(at(row, api.id or "")) if isinstance(row, Mapping) else None
        if task_id is None or task_id not in ids:
            continue
        if task_id in found and fingerprint(api, found[task_id]) != fingerprint(api, row):
            differing.add(task_id)
        found.setdefault(task_id, row)
    return {task_id: row for task_id, row in found.items() if task_id not in differing}
