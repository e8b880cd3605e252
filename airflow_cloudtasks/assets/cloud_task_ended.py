"""The event trigger for cloud tasks that have ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import TriggerEvent

from airflow_cloudtasks.assets._watched import Watched, check_scope, listing_of
from airflow_cloudtasks.catalog import find_api, stored_api
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.timestamps import read_time
from airflow_cloudtasks.values import at, moment, text
from airflow_cloudtasks.version_compat import AIRFLOW_RELEASE, HAS_EVENT_TRIGGERS, BaseEventTrigger

if TYPE_CHECKING:
    from airflow.triggers.shared_stream import SharedStreamProducer

    from airflow_cloudtasks.assets._follower import Firing, Follower
    from airflow_cloudtasks.assets._stream import Stream
    from airflow_cloudtasks.spec import TaskApi

# Seconds after which Airflow before 3.3 has stored an event, if its triggerer lives.
_STORED_SECONDS = 3.0

_ENDS = tuple(state.value for state in TaskState if state.done)


class CloudTaskEndedTrigger(BaseEventTrigger):
    """Send an event for each cloud task that ends, for the ``AssetWatcher`` of an asset.

    The payload of an event is the task as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` returns it. Every error
    is logged, and the trigger goes on. docs/how-to/events.md says what each version of Airflow promises.

    Watchers of the same API, connection, region and parameters share one reader, however their other arguments differ.
    Its requests keep to the account's allowance together with the waits of the triggerer. The trigger stores its
    arguments in Airflow's database, and what it has seen in a Variable ``airflow_cloudtasks_watcher_…``. Secrets stay
    in the Airflow connection.

    Args:
        api: A name in the catalog, a TaskApi, or the result of its ``as_dict``. A list of the API must show when a task
            ended.
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; overrides the connection's region.
        api_params: The parameters of the list, in the vendor's spelling, e.g. ``{"ProjectId": "24…"}``.
        states: The states that have an event, e.g. ``("failed", "expired")``; none for every end.
        where: Values that the vendor's task object must have, by their paths in it, e.g. ``{"WorkflowId": "…"}``.
        dag_id: The DAG that the asset schedules. With it, each end makes a run of its own: the next event is sent only
            when the DAG has made its run of the last one. Without it, the next event is sent some seconds later, and
            Airflow makes one run of events that its scheduler finds together.
        since: Ends before this time have no event: ISO 8601, in the API's zone if it names none, or Unix seconds. None
            for the time when Airflow began to run the watcher.

    Raises:
        InvalidArguments: The API cannot be watched, an argument is wrong, or Airflow is older than 3.0.
        ValueError: No API has the name.
    """

    def __init__(
        self,
        api: str | TaskApi | Mapping[str, Any],
        conn_id: str | None = None,
        region: str | None = None,
        api_params: Mapping[str, Any] | None = None,
        states: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
        dag_id: str | None = None,
        since: str | float | None = None,
    ) -> None:
        if not HAS_EVENT_TRIGGERS:
            raise InvalidArguments(
                f"CloudTaskEndedTrigger needs Airflow 3.0 or newer, which starts DAGs by events; this is Airflow "
                f"{AIRFLOW_RELEASE}."
            )
        super().__init__()
        self.api = find_api(api)
        self.conn_id = conn_id
        self.region = region
        self.api_params = dict(api_params or {})
        self.states = _states(states)
        self.where = dict(where or {})
        self.dag_id = dag_id
        self.since = since
        check_scope(self.api, self.api_params)
        _since(since, self.api)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments from which any triggerer can rebuild this trigger."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "api": stored_api(self.api),
                "conn_id": self.conn_id,
                "region": self.region,
                "api_params": self.api_params,
                "states": list(self.states),
                "where": self.where,
                "dag_id": self.dag_id,
                "since": self.since,
            },
        )

    def shared_stream_key(self) -> Hashable | None:
        """Return what watchers have in common that share one reader. Airflow 3.3 and newer ask for it."""
        return (f"{__name__}.{CloudTaskEndedTrigger.__name__}", self._watched.key)

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> SharedStreamProducer:
        """Return what passes events on to Airflow 3.3 and newer, which says when they are stored."""
        from airflow_cloudtasks.assets._producer import Producer

        return Producer(cls(**kwargs)._watched)

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        """Yield the events of this watcher, on Airflow 3.3 and newer."""
        # Nothing that sends requests is imported when a DAG file is parsed.
        from airflow_cloudtasks.assets._stream import following

        async with following(self._watched, lambda stream: self._follower(stream, stream.firings)) as follower:
            async for firing in shared_stream:
                if firing.follower is follower:
                    yield TriggerEvent(firing.payload)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the events of this watcher, on Airflow 3.0 to 3.2, which do not say when they are stored."""
        from airflow_cloudtasks.assets._stream import following

        firings: asyncio.Queue[Firing] = asyncio.Queue()
        async with following(self._watched, lambda stream: self._follower(stream, firings)):
            while True:
                firing = await firings.get()
                yield TriggerEvent(firing.payload)
                # The runs of the DAG show whether it is stored.
                seconds = _STORED_SECONDS if self.dag_id is None else 0.0
                asyncio.get_running_loop().call_later(seconds, partial(firing.settle, stored=True))

    @property
    def _watched(self) -> Watched:
        return Watched(self.api, self.conn_id, self.region, self.api_params)

    def _follower(self, stream: Stream, firings: asyncio.Queue[Firing]) -> Follower:
        from airflow_cloudtasks.assets._follower import Follower
        from airflow_cloudtasks.assets._memory import Memory, runs_of

        return Follower(
            states=self.states,
            since=_since(self.since, self.api),
            dag_id=self.dag_id,
            memory=Memory(self.serialize()[1], self.trigger_id, goes_on=self.since is not None),
            runs=runs_of,
            whole=stream.whole,
            matches=self._matches,
            is_whole=listing_of(self.api).complete,
            put=firings.put_nowait,
        )

    def _matches(self, task: CloudTask) -> bool:
        return all(text(at(task.detail, path)) == text(value) for path, value in self.where.items())


def _states(states: Any) -> tuple[str, ...]:
    given = (states,) if isinstance(states, str) else tuple(str(state) for state in states)
    for state in given:
        if state not in _ENDS:
            raise InvalidArguments(f"states has {state!r:.100}; expected some of {', '.join(_ENDS)}.")
    return given


def _since(since: str | float | None, api: TaskApi) -> datetime | None:
    if since is None:
        return None
    time = moment(since, api.zone) if isinstance(since, int | float) else read_time(since, api.zone)
    if time is None:
        raise InvalidArguments(
            f"since is {since!r:.100}; expected Unix seconds or a time as in 2026-01-31T08:00:00+08:00."
        )
    return time.astimezone(UTC)
