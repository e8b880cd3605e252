"""Waiting in a worker: the tasks are read round by round, by the same decisions as in the triggerer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.errors import CloudApiError, Invalid
from airflow_cloudtasks.waiting.change_log import ChangeLog
from airflow_cloudtasks.waiting.group import GroupRules, WaitGroup
from airflow_cloudtasks.waiting.verdicts import Outcome, Verdict, Waiting, WaitRules, judge

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
    from airflow_cloudtasks.spec import TaskApi


class WorkerWait:
    """One wait on one task or several.

    Args:
        hook: What reads them.
        api: The API.
        ids: The ids of the tasks.
        api_params: The other parameters that name them, in the vendor's spelling.
        rules: How to wait.
        overrides: Statuses that mean something else for this wait.
        group: What of them is waited for.
        log: Where changes are logged.

    Attributes:
        hook: What reads them.
        seen: How each task was last seen, in the order of the ids.
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
        self._ends = WaitGroup(len(ids), group)
        self._changes = [ChangeLog() for _ in ids]
        self._log = log
        self.seen: list[Verdict] = [Waiting(None)] * len(ids)

    def read(self, *, until_one_goes_on: bool = False) -> bool:
        """Read once every task that has not ended.

        Args:
            until_one_goes_on: Whether to leave the others to the triggerer once one of them goes on.

        Returns:
            Whether the wait is over.
        """
        for index, task_id in enumerate(self._ids):
            if self._ends.ends[index] is not None:
                continue
            outcome = self._outcome(task_id)
            self.seen[index] = verdict = judge(outcome, self._rules)
            if isinstance(verdict, Waiting):
                if (line := self._changes[index].line(outcome)) is not None:
                    self._log(line)
                # A service that is down is not asked for all of them.
                if until_one_goes_on or (isinstance(outcome, CloudApiError) and outcome.retryable):
                    break
            elif self._ends.take(index, verdict):
                break
        return self._ends.is_over

    def _outcome(self, task_id: str) -> Outcome:
        try:
            return self.hook.read_task(self._api, task_id, self._api_params, self._overrides)
        except (CloudApiError, Invalid) as error:
            return error
