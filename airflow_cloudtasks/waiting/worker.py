"""Wait in a worker: read the tasks round by round, and decide as in the triggerer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.errors import CloudApiError, Invalid
from airflow_cloudtasks.waiting.allowance import stated_allowance
from airflow_cloudtasks.waiting.change_log import ChangeLog
from airflow_cloudtasks.waiting.group import GroupRules, WaitGroup
from airflow_cloudtasks.waiting.verdicts import Outcome, Verdict, Waiting, WaitRules, judge

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
    from airflow_cloudtasks.spec import TaskApi

# Tasks in a row whose reads fail before the service is taken to be down and the round is given up. The next round
# begins with the tasks that this one has not read.
_MOST_FAILURES = 3


class WorkerWait:
    """One wait on one task or several.

    Args:
        hook: Reads the tasks.
        api: The API.
        ids: The ids of the tasks.
        api_params: The other parameters that identify them, in the vendor's spelling.
        rules: The rules of the wait.
        overrides: Statuses that this wait maps to another state than the catalog does.
        group: When the wait on several tasks is over.
        log: Logs a change.

    Attributes:
        hook: Reads the tasks.
        seen: The last verdict on each task, in the order of the ids.
    """

    def __init__(
        self,
        hook: CloudTasksHook,
        api: TaskApi,
        ids: Sequence[str],
        api_params: Mapping[str, Any] | None,
        *,
        rules: WaitRules,
        overrides: StatusOverrides,
        group: GroupRules,
        log: Callable[[str], Any],
    ) -> None:
        self.hook = hook
        self._api, self._ids, self._api_params = api, ids, api_params
        self._rules, self._overrides = rules, overrides
        self._group = group
        self._ends = WaitGroup(len(ids), group)
        self._changes = [ChangeLog() for _ in ids]
        self._log = log
        self._first_of_round = 0
        self._next_request_at = 0.0
        self.seen: list[Verdict] = [Waiting(None)] * len(ids)

    def read(self, *, before_deferring: bool = False) -> bool:
        """Read every task that has not ended once, no faster than the account's allowance.

        Args:
            before_deferring: Whether the triggerer goes on with the wait. Then the round ends with the first task that
                goes on, unless another task could end the wait.

        Returns:
            Whether the wait is over.
        """
        stops_early = before_deferring and not self._group.one_may_end_all
        failures = 0
        for index in self._round():
            outcome = self._outcome(self._ids[index])
            self.seen[index] = verdict = judge(outcome, self._rules)
            if not isinstance(verdict, Waiting):
                failures = 0
                if self._ends.take(index, verdict):
                    break
                continue
            if (line := self._changes[index].line(outcome)) is not None:
                self._log(line)
            failures = failures + 1 if isinstance(outcome, CloudApiError) and outcome.retryable else 0
            if failures == _MOST_FAILURES:
                self._first_of_round = index + 1
                break
            if stops_early:
                break
        return self._ends.is_over

    def _round(self) -> list[int]:
        """Return the numbers of the tasks that have not ended, beginning with those that the last round left out."""
        count = len(self._ids)
        in_turn = [(self._first_of_round + offset) % count for offset in range(count)]
        self._first_of_round = 0
        return [index for index in in_turn if self._ends.ends[index] is None]

    def _outcome(self, task_id: str) -> Outcome:
        try:
            return self.hook.read_task(self._api, task_id, self._api_params, self._overrides, self._wait_for_turn)
        except (CloudApiError, Invalid) as error:
            return error

    def _wait_for_turn(self) -> None:
        """Keep requests as far apart as the allowance says, also with a ``poke_interval`` of 0."""
        stated = self.hook.get_conn().account.requests_per_second
        interval = 1 / stated_allowance(stated, self._api, self._api.read)
        now = time.monotonic()
        if now < self._next_request_at:
            time.sleep(self._next_request_at - now)
        self._next_request_at = max(now, self._next_request_at) + interval
