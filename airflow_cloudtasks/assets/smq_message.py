"""The event trigger for messages of an SMQ queue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import TriggerEvent

from airflow_cloudtasks.clouds.smq_wire import QueueAddress
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.version_compat import AIRFLOW_RELEASE, HAS_EVENT_TRIGGERS, BaseEventTrigger

if TYPE_CHECKING:
    from airflow.triggers.shared_stream import SharedStreamProducer

# Seconds after which Airflow before 3.3 has stored an event, if its triggerer lives.
_STORED_SECONDS = 3.0


class SmqMessageTrigger(BaseEventTrigger):
    """Send an event for each message of an SMQ queue (Simple Message Queue, formerly MNS).

    The payload is ``{"id": …, "text": …, "sent_at": …}``, with the time in Unix seconds. A message is deleted once its
    event is stored. The queue delivers at least once, so an event may come twice: after a restart, and if an event is
    stored more slowly than the queue's visibility timeout. Every error is logged, and the trigger goes on.

    On Airflow 3.3 and newer, triggers of the same queue share one reader, and each gets every message.

    Args:
        conn_id: Id of the Airflow connection; None for ``alibaba_default``.
        region: Region id; overrides the connection's region.
        queue_name: The queue's name or URL. It must not be the connection's ``notify_queue``, whose messages the
            waits take.

    Raises:
        InvalidArguments: There is no ``queue_name``, or Airflow is older than 3.0.
        InvalidConnection: ``queue_name`` is no queue.
    """

    def __init__(self, conn_id: str | None = None, region: str | None = None, queue_name: str | None = None) -> None:
        if not HAS_EVENT_TRIGGERS:
            raise InvalidArguments(
                f"SmqMessageTrigger needs Airflow 3.0 or newer, which starts DAGs by events; this is Airflow "
                f"{AIRFLOW_RELEASE}."
            )
        super().__init__()
        if not queue_name:
            raise InvalidArguments(
                "SmqMessageTrigger needs queue_name: the name or URL of a queue that nothing else reads, so not the "
                "connection's notify_queue."
            )
        QueueAddress.parse(queue_name)
        self.conn_id = conn_id
        self.region = region
        self.queue_name = queue_name

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments from which any triggerer can rebuild this trigger."""
        arguments = {"conn_id": self.conn_id, "region": self.region, "queue_name": self.queue_name}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    def shared_stream_key(self) -> Hashable | None:
        """Return what triggers have in common that share one reader. Airflow 3.3 and newer ask for it."""
        return (f"{__name__}.{SmqMessageTrigger.__name__}", self.conn_id, self.region, self.queue_name)

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> SharedStreamProducer:
        """Return what reads the queue for Airflow 3.3 and newer, which says when events are stored."""
        from airflow_cloudtasks.assets._producer import SmqProducer
        from airflow_cloudtasks.assets._smq_reader import SmqReader

        return SmqProducer(SmqReader(**kwargs))

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        """Yield an event for each message, on Airflow 3.3 and newer."""
        async for payload in shared_stream:
            yield TriggerEvent(payload)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event for each message, on Airflow 3.0 to 3.2, which do not say when it is stored."""
        from airflow_cloudtasks.assets._smq_reader import SmqReader

        async with SmqReader(self.conn_id, self.region, self.queue_name) as reader:
            async for message in reader.messages():
                yield TriggerEvent(reader.payload(message))
                reader.delete_in(_STORED_SECONDS, message)
