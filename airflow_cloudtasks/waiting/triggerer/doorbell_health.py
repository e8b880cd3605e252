"""Whether a queue rings for what ends, and how many requests may be sent to it. Pure; the caller passes the time."""

from __future__ import annotations

# Requests that fail in a row until tasks are polled by their own intervals again.
_MOST_FAILURES = 2

# Seconds; the pauses after failed requests, unless the service asks for a longer one. The second limit is for refusals,
# e.g. of a key without the permission.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 10.0
_LONGEST_PAUSE_IF_REFUSED = 60.0

# Seconds that a message has to come after a poll has found the end that it should have told.
_RINGS_WITHIN = 5.0

# Seconds after a message from which on a read that shows its task running contradicts it.
_SHOWN_WITHIN = 15.0

# Seconds for which ends are remembered: a message that comes later belongs to no wait here.
_REMEMBERED = 600.0
_MOST_REMEMBERED = 20_000

# The weight of the newest end in the share of those that were rung, and the least share of a queue that is relied on.
_NEWEST = 0.2
_LEAST_SHARE = 0.5

# Requests a second to a queue in the mean, and requests that may be saved up for a time when many tasks end.
REQUESTS_PER_SECOND = 1.0
_MOST_SAVED = 180.0


class DoorbellHealth:
    """Whether tasks may be polled slowly, because a queue tells of their ends.

    It has to be shown: by ends that the queue has told. Whether it is reachable says little, since a queue of which
    ICE knows nothing is empty too.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._share: float | None = None
        self._rung: dict[str, float] = {}
        self._found: dict[str, float] = {}
        self._unrung: dict[str, float] = {}
        self._unshown: dict[str, float] = {}
        self._contradicted = 0

    @property
    def is_healthy(self) -> bool:
        """Whether tasks may be polled slowly."""
        return self._failures < _MOST_FAILURES and self._share is not None and self._share >= _LEAST_SHARE

    def is_ours(self, task_id: str) -> bool:
        """Return whether the end of a task has been noticed here lately."""
        return task_id in self._found

    def learn_answered(self) -> None:
        """Note that the queue has answered."""
        self._failures = 0

    def learn_failed(self, retry_after: float | None = None, *, in_time: bool = True, may_pass: bool = True) -> float:
        """Note that a request has failed, and return the seconds until the next one.

        Args:
            retry_after: Seconds that the service asks to wait.
            in_time: Whether it failed within seconds. A request that gets no answer counts twice.
            may_pass: Whether the same request may succeed soon.
        """
        self._failures += 1 if in_time else _MOST_FAILURES
        longest = _LONGEST_PAUSE if may_pass else _LONGEST_PAUSE_IF_REFUSED
        pause: float = min(_FIRST_PAUSE * 2.0 ** min(self._failures - 1, 10), longest)
        return max(pause, retry_after or 0.0)

    def learn_rung(self, task_id: str, now: float) -> None:
        """Note that a message tells of the end of a task.

        Args:
            task_id: The task's id.
            now: Seconds on any steady clock.
        """
        if self._unrung.pop(task_id, None) is not None:
            self._learn(1.0)
        if task_id not in self._found:
            self._unshown.setdefault(task_id, now)
        self._rung.setdefault(task_id, now)

    def learn_end(self, task_id: str, now: float, *, was_running: bool = True) -> None:
        """Note that a read has shown the end of a task.

        Args:
            task_id: The task's id.
            now: Seconds on the clock of :meth:`learn_rung`.
            was_running: Whether an earlier read has shown the task running. If not, its message may have been received
                before the wait began.
        """
        self._found.setdefault(task_id, now)
        if self._unshown.pop(task_id, None) is not None:
            self._learn(1.0)
        elif was_running and task_id not in self._rung:
            self._unrung.setdefault(task_id, now)

    def learn_read(self, task_id: str, now: float) -> None:
        """Note that a read has shown a task running.

        Args:
            task_id: The task's id.
            now: Seconds on the clock of :meth:`learn_rung`, at the request.
        """
        if task_id in self._unshown and now - self._unshown[task_id] > _SHOWN_WITHIN:
            del self._unshown[task_id]
            self._contradicted += 1

    def judge(self, now: float) -> int:
        """Count the ends for which no message has come in time, and the messages that a read has contradicted.

        Args:
            now: Seconds on the clock of :meth:`learn_rung`.

        Returns:
            How many there are since the last call.
        """
        missed, self._contradicted = self._contradicted, 0
        for task_id, since in list(self._unrung.items()):
            if now - since <= _RINGS_WITHIN:
                break  # in the order of time
            del self._unrung[task_id]
            missed += 1
        # What a queue tells that cannot be read says nothing about what it tells.
        if not self._failures:
            for _ in range(missed):
                self._learn(0.0)
        for known in (self._rung, self._found, self._unshown):
            _forget(known, now)
        return missed

    def _learn(self, rung: float) -> None:
        self._share = rung if self._share is None else self._share + _NEWEST * (rung - self._share)


def _forget(known: dict[str, float], now: float) -> None:
    """Forget what is old; the entries are in the order of time."""
    while known:
        task_id = next(iter(known))
        if now - known[task_id] <= _REMEMBERED and len(known) <= _MOST_REMEMBERED:
            return
        del known[task_id]


class RequestBudget:
    """How many requests may be sent: one a second in the mean, and more for a while after a quiet time.

    Args:
        now: Seconds on any steady clock.
    """

    def __init__(self, now: float) -> None:
        self._saved = _MOST_SAVED
        self._as_of = now

    @property
    def has_plenty(self) -> bool:
        """Whether requests may be sent that are not needed, as of the last one."""
        return self._saved > _MOST_SAVED / 2

    def take(self, now: float) -> float:
        """Take one request, and return in how many seconds it may be sent.

        Args:
            now: Seconds on the clock of the beginning.
        """
        self._saved = min(self._saved + REQUESTS_PER_SECOND * (now - self._as_of), _MOST_SAVED) - 1.0
        self._as_of = now
        return max(-self._saved / REQUESTS_PER_SECOND, 0.0)
