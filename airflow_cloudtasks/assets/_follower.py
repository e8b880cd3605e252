"""One watcher: it sends the event of each end, one after the other, and remembers which were stored.

Airflow makes one DAG run of all events that its scheduler finds at once. So the next event is sent only after the DAG
has made a run of the last one, if the watcher knows the DAG, and after some seconds otherwise.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from airflow_cloudtasks.airflow_facts import Fact, Is, Unknown
from airflow_cloudtasks.assets._ends import Ends, key_of
from airflow_cloudtasks.errors import CloudTasksError
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.waiting.sizes import fitted_task

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

# Seconds between two events if no DAG is named: the scheduler looks for events about once a second.
SPACING_SECONDS = 3.0

# Seconds between two looks at the runs of the DAG.
_LOOK_SECONDS = 0.25
_LONGEST_LOOK_SECONDS = 2.0

# Seconds without a run of the DAG that holds the scheduler back, after which an event is taken for lost or merged.
_QUIET_SECONDS = 60.0

# Seconds for which a watcher that begins again waits for the run of its last event, before it sends that again.
_IN_DOUBT_SECONDS = 20.0

# Seconds; the longest rest after failures.
_LONGEST_REST = 60.0

# Reads of a task that fail, each while others can be read, after which its event has only what the list shows.
_MOST_TRIES = 3
# Errors that may pass come in a row by chance.
_MOST_TRIES_IF_RETRYABLE = 20

# Seconds between two notes of how far the watcher has read, while no event is sent.
_CHECKPOINT_SECONDS = 600.0


class Keeper(Protocol):
    """Keeps what must outlive a restart."""

    async def load(self) -> Fact[dict[str, Any]]:
        """Return what was kept."""

    async def keep(self, ends: Mapping[str, Any]) -> Fact[Any]:
        """Keep this."""


class Firing:
    """An event on its way.

    Args:
        follower: The watcher.
        payload: The event's payload.

    Attributes:
        is_stored: Whether Airflow has stored the event, once that is known.
    """

    def __init__(self, follower: Follower, payload: dict[str, Any]) -> None:
        self.follower = follower
        self.payload = payload
        self.is_stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def settle(self, *, stored: bool) -> None:
        """Say whether Airflow has stored the event; only the first word counts.

        Args:
            stored: Whether it has.
        """
        if not self.is_stored.done():
            self.is_stored.set_result(stored)


class Follower:
    """One watcher of a stream.

    Args:
        states: The states of the ends that have an event; none for all.
        since: Ends before this time have no event; None for the time of the watcher's first look.
        dag_id: The DAG that makes one run of each event; None if it is not known.
        memory: Keeps what must outlive a restart.
        runs: Returns how many runs a DAG has.
        whole: Returns a task as a single read returns it.
        matches: Returns whether a task has the values that are asked for.
        is_whole: Whether a listed task is as a single read returns it.
        put: Sends an event.
        clock: Returns the present time.

    Attributes:
        ends: What the watcher has seen; None before it has been loaded.
        has_left: Whether the watcher is gone.
    """

    def __init__(
        self,
        *,
        states: Sequence[str],
        since: datetime | None,
        dag_id: str | None,
        memory: Keeper,
        runs: Callable[..., Awaitable[Fact[int]]],
        whole: Callable[[CloudTask], Awaitable[CloudTask]],
        matches: Callable[[CloudTask], bool],
        is_whole: bool,
        put: Callable[[Firing], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._states = frozenset(states)
        self._since = since
        self._dag_id = dag_id
        self._memory = memory
        self._runs = runs
        self._whole = whole
        self._matches = matches
        self._is_whole = is_whole
        self._put = put
        self._clock = clock
        self._changed = asyncio.Event()
        self._reads = 0
        # By the key of an end: how often its read has failed, and the number of other reads at the last time.
        self._unread: dict[str, tuple[int, int]] = {}
        self.ends: Ends | None = None
        self.has_left = False

    def offer(self, tasks: Sequence[CloudTask], read_at: datetime | None) -> None:
        """Take what was read. The arguments are those of :meth:`Ends.offer`."""
        if self.ends is not None and self.ends.offer(tasks, read_at):
            self._changed.set()

    async def serve(self, loaded: Callable[[], None]) -> None:
        """Send the events, until the task that runs this is canceled.

        Args:
            loaded: Called once the watcher knows how far back ends must be read.
        """
        failures = 0
        while True:
            try:
                if self.ends is None:
                    self.ends = await self._load()
                    await self._keep()
                    loaded()
                await self._resolve_doubt()
                await self._serve_next()
                failures = 0
            except CloudTasksError as error:
                failures += 1
                _log.warning("A watcher goes on in a while, after an error: %s", error)
                await asyncio.sleep(_rest(failures))
            except Exception:  # a bug must not end the watcher
                failures += 1
                _log.exception("A watcher goes on in a while, after an unexpected error.")
                await asyncio.sleep(_rest(failures))

    def _wants(self, task: CloudTask) -> bool:
        if self._states and task.state.value not in self._states:
            return False
        return not self._is_whole or self._matches(task)

    async def _load(self) -> Ends:
        found = await _known(self._memory.load, "what the watcher has seen")
        if isinstance(found, Is):
            try:
                return Ends.from_dict(found.value, self._wants)
            except ValueError as error:
                _log.warning("What the watcher has kept cannot be read. It begins anew. %s", error)
        return Ends(self._since or self._clock(), self._wants)

    async def _serve_next(self) -> None:
        ends = self._known_ends
        while (task := ends.next()) is None:
            self._changed.clear()
            try:
                async with asyncio.timeout(_CHECKPOINT_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                await self._keep()
        whole = await self._read(task)
        if not (whole.done and self._wants(whole) and self._matches(whole)):
            ends.drop(task)
            return
        before = await self._count_runs()
        ends.send(task, before)
        await self._keep()
        firing = Firing(self, fitted_task(whole).as_dict())
        self._put(firing)
        if not await firing.is_stored:
            _log.warning("Airflow has not stored the event of %s. It is sent again.", task.id)
            return  # in doubt
        if before is None:
            ends.settle()
            await self._keep()
            await asyncio.sleep(SPACING_SECONDS)
            return
        if not await self._has_run(before, None):
            _log.warning("DAG %s has made no run of the end of %s.", self._dag_id, task.id)
        ends.settle()
        await self._keep()

    async def _read(self, task: CloudTask) -> CloudTask:
        """Return a task as a single read returns it. One that cannot be read is put behind the others."""
        key = key_of(task)
        try:
            whole = await self._whole(task)
        except Exception as error:
            tries, reads = self._unread.get(key, (0, -1))
            # Without another read meanwhile, the fault may be everybody's.
            tries = tries + 1 if self._reads > reads else tries
            self._unread[key] = tries, self._reads
            if tries < (_MOST_TRIES_IF_RETRYABLE if getattr(error, "retryable", False) else _MOST_TRIES):
                self._known_ends.put_off(task)
                raise
            _log.warning("%s cannot be read. Its event has what the list shows. %s", task.id, error)
            whole = task
        else:
            self._reads += 1
        self._unread.pop(key, None)
        return whole

    async def _resolve_doubt(self) -> None:
        """Find out whether the last event was stored: then its DAG has made a run, or will."""
        ends = self._known_ends
        if ends.sent is None:
            return
        if ends.sent.runs is not None and await self._has_run(ends.sent.runs, _IN_DOUBT_SECONDS):
            ends.settle()
            await self._keep()
        else:
            ends.take_back()

    async def _has_run(self, before: int, seconds: float | None) -> bool:
        """Wait until the DAG has made a run, and return whether it has.

        Args:
            before: How many runs it had.
            seconds: How long to wait; None for as long as runs of the DAG may hold the scheduler back.
        """
        loop = asyncio.get_running_loop()
        began = quiet_since = loop.time()
        look = _LOOK_SECONDS
        while True:
            count = await self._count_runs()
            if count is None or count > before:
                return True
            before = min(before, count)  # runs may be deleted
            now = loop.time()
            if seconds is not None and now - began >= seconds:
                return False
            if now - quiet_since >= _QUIET_SECONDS:
                if not await self._count_runs(active=True):
                    return False
                quiet_since = now
            await asyncio.sleep(look)
            look = min(look * 1.2, _LONGEST_LOOK_SECONDS)

    async def _count_runs(self, *, active: bool = False) -> int | None:
        if (dag_id := self._dag_id) is None:
            return None
        found = await _known(lambda: self._runs(dag_id, active=active), f"how many runs DAG {dag_id} has")
        return found.value if isinstance(found, Is) else None

    async def _keep(self) -> None:
        async def keep() -> Fact[Any]:
            found = await self._memory.keep(self._known_ends.as_dict())
            return found if isinstance(found, Is) else Unknown(getattr(found, "why", "") or "it is not there")

        await _known(keep, "whether the watcher's memory is written")

    @property
    def _known_ends(self) -> Ends:
        assert self.ends is not None  # noqa: S101 - serve loads it first
        return self.ends


async def _known(ask: Callable[[], Awaitable[Fact[_T]]], what: str) -> Fact[_T]:
    """Ask until the answer is known."""
    failures = 0
    while isinstance(fact := await ask(), Unknown):
        failures += 1
        _log.warning("Airflow does not say %s (%s). It is asked again.", what, fact.why)
        await asyncio.sleep(_rest(failures))
    return fact


def _rest(failures: int) -> float:
    return min(2.0 ** min(failures - 1, 10), _LONGEST_REST)
