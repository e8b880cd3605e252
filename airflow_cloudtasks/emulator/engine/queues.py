"""The message queues (SMQ, formerly MNS), and the events that products send to them when tasks end.

Source: Alibaba Cloud, Simple Message Queue, API reference of ReceiveMessage, DeleteMessage and ChangeMessageVisibility.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import itertools
import json
import uuid
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_cloudtasks.emulator.engine.scripts import Step
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject

_GARBAGE = ("", "not JSON", '{"EventType": "WorkflowTaskComplete"', '["TaskId"]', '{"MessageBody": {"TaskId": ["x"]}}')


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """How a queue behaves.

    Attributes:
        visibility: Seconds for which a received message is hidden from other receivers.
        long_polls: How many long polls may wait at once; further ones are answered at once. None for any number.
        lost: The share of events that never arrive, 0 to 1.
        doubled: The share of events that arrive twice.
        garbled: The share of events whose text is no event's.
        delay: Seconds by which events arrive late.
        frozen: Whether the queue shows none of its messages.
        base64: Whether events are in Base64.
        flat: Whether events have no ``MessageBody``, but its members beside ``EventType``.
    """

    visibility: float = 30.0
    long_polls: int | None = None
    lost: float = 0.0
    doubled: float = 0.0
    garbled: float = 0.0
    delay: float = 0.0
    frozen: bool = False
    base64: bool = False
    flat: bool = False


@dataclass(slots=True)
class Message:
    """One message.

    Attributes:
        text: Its body.
        sent_at: When it was sent, in Unix seconds.
        visible_at: From when on it can be received.
        priority: 1 to 16; not used for the order.
        id: Its id.
        received: How often it was received.
        first_received_at: When it was received first; None before that.
        receipt: The handle of its last receipt; empty before that.
    """

    text: str
    sent_at: float
    visible_at: float
    priority: int = 8
    id: str = field(default_factory=lambda: uuid.uuid4().hex.upper())
    received: int = 0
    first_received_at: float | None = None
    receipt: str = ""

    @property
    def md5(self) -> str:
        """The MD5 of its body, in upper-case hexadecimal."""
        return hashlib.md5(self.text.encode(), usedforsecurity=False).hexdigest().upper()


class Queue:
    """One queue.

    Args:
        name: Its name.
        settings: How it behaves.

    Attributes:
        polls: How many long polls are waiting.
        counts: How many messages were sent, received and deleted.
    """

    def __init__(self, name: str, settings: QueueSettings) -> None:
        self.name = name
        self.settings = settings
        self.polls = 0
        self.counts = {"sent": 0, "received": 0, "deleted": 0}
        self._messages: dict[str, Message] = {}
        self._by_receipt: dict[str, Message] = {}

    def send(self, message: Message) -> None:
        """Add a message."""
        self._messages[message.id] = message
        self.counts["sent"] += 1

    def receive(self, most: int, now: float) -> list[Message]:
        """Return the oldest visible messages, and hide them for the visibility timeout."""
        if self.settings.frozen:
            return []
        visible = (message for message in self._messages.values() if message.visible_at <= now)
        received = list(itertools.islice(visible, most))
        for message in received:
            message.received += 1
            message.first_received_at = message.first_received_at or now
            self.hide(message, self.settings.visibility, now)
        self.counts["received"] += len(received)
        return received

    def hide(self, message: Message, seconds: float, now: float) -> None:
        """Hide a message, under a new receipt handle."""
        self._by_receipt.pop(message.receipt, None)
        message.visible_at = now + seconds
        handle = f"{message.id}-{message.received}-{uuid.uuid4().hex[:8]}"
        message.receipt = f"1-{base64.b64encode(handle.encode()).decode()}"
        self._by_receipt[message.receipt] = message

    def of_receipt(self, receipt: str, now: float) -> Message | None:
        """Return the message of a receipt handle; None if the handle is unknown or the message is visible again."""
        message = self._by_receipt.get(receipt)
        return message if message is not None and message.visible_at > now else None

    def delete(self, message: Message) -> None:
        """Delete a message."""
        del self._messages[message.id], self._by_receipt[message.receipt]
        self.counts["deleted"] += 1

    def describe(self, now: float) -> JsonObject:
        """Return its settings and counts as a JSON object."""
        visible = sum(message.visible_at <= now for message in self._messages.values())
        return {
            "name": self.name,
            **asdict(self.settings),
            **self.counts,
            "visible": visible,
            "hidden": len(self._messages) - visible,
            "waiting_polls": self.polls,
        }


class Queues:
    """All queues, and the ends of tasks that are still to be announced to them.

    Args:
        random_number: Returns a number in [0, 1). It decides which events are lost, doubled and garbled.

    Attributes:
        callback: The queue that the whole account's events go to; None for none.
    """

    def __init__(self, random_number: Callable[[], float]) -> None:
        self._random_number = random_number
        self._queues: dict[str, Queue] = {}
        self._ends: list[tuple[float, int, Task, tuple[Step, ...]]] = []
        self._numbers = itertools.count()
        self._garbage = itertools.cycle(_GARBAGE)
        self.callback: str | None = None

    def __iter__(self) -> Iterator[Queue]:
        return iter(self._queues.values())

    def find(self, name: str) -> Queue | None:
        """Return the queue of a name, or None."""
        return self._queues.get(name)

    def set(self, name: str, settings: QueueSettings) -> Queue:
        """Return the queue of a name with new settings; it is created if there is none."""
        queue = self._queues.setdefault(name, Queue(name, settings))
        queue.settings = settings
        return queue

    def clear(self) -> None:
        """Remove every queue."""
        self._queues.clear()
        self._ends.clear()
        self.callback = None

    def watch(self, task: Task) -> None:
        """Announce the end of a task once it has come. Without any queue, nothing is announced later either."""
        if self._queues:
            ends_at = task.created_at + sum(step.seconds or 0.0 for step in task.script)
            heapq.heappush(self._ends, (ends_at, next(self._numbers), task, task.script))

    def ended(self, now: float) -> Iterator[Task]:
        """Yield the watched tasks that have entered their last step, each once."""
        while self._ends and self._ends[0][0] <= now:
            _, _, task, script = heapq.heappop(self._ends)
            if task.script is script:
                yield task

    def announce(self, address: str | None, event: JsonObject, body: JsonObject, sent_at: float) -> None:
        """Send an event to the queue at an address, else to the account's; it may get lost on the way, or worse.

        Args:
            address: A queue's name; None for the account's.
            event: The event's own members, such as its type.
            body: What happened.
            sent_at: When, in Unix seconds.
        """
        queue = self._queues.get(address or self.callback or "")
        if queue is None or self._happens(queue.settings.lost):
            return
        settings = queue.settings
        text = json.dumps({**event, **body} if settings.flat else {**event, "MessageBody": body})
        if self._happens(settings.garbled):
            text = next(self._garbage)
        if settings.base64:
            text = base64.b64encode(text.encode()).decode()
        for _ in range(2 if self._happens(settings.doubled) else 1):
            queue.send(Message(text, sent_at, sent_at + settings.delay))

    def _happens(self, share: float) -> bool:
        return share > 0 and self._random_number() < share
