"""What a message of a queue says: the id of a task that has ended, or nothing. Pure.

A message is no proof: it may be lost, repeated, late or wrong. It only tells which task to read now.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from enum import Enum
from typing import Any

from airflow_cloudtasks.spec import Doorbell
from airflow_cloudtasks.values import at, embedded_json, fold, load_json, text

# Source: ICE, "Callback events", for the wrapper; ApsaraVideo VOD, "Workflow task completion", for the flat form. In
# both, EventType names the event.
_EVENT = "EventType"
_BODY = "MessageBody"

# A message that is about no task of this triggerer, or about no task at all, is deleted once it has been received this
# often by anybody.
_MOST_OF_OTHERS = 8
_MOST_UNREADABLE = 3


class Fate(Enum):
    """What to do with a message."""

    DELETE = "delete"
    GIVE_BACK = "give back"
    LEAVE = "leave"


def ended_task(message: str, doorbell: Doorbell) -> str | None:
    """Return the id of the task that a message says has ended; None if it is no such message.

    The vendor documents neither whether the text is in Base64 nor, for this event, whether it has a wrapper, so that
    either is read.

    Args:
        message: The text of the message.
        doorbell: The message that the vendor sends.
    """
    event = _decoded(message)
    if event is None:
        return None
    name = event.get(_EVENT)
    if name is not None and not (isinstance(name, str) and fold(name) == fold(doorbell.event)):
        return None
    body = embedded_json(event.get(_BODY))
    found = at(body if isinstance(body, Mapping) else event, doorbell.id)
    return text(found) if isinstance(found, str | int) and not isinstance(found, bool) else None


def fate_of(task_id: str | None, *, is_ours: bool, times_received: int) -> Fate:
    """Return what to do with a message.

    Several triggerers may share a queue, and each gets some of the messages for the others.

    Args:
        task_id: The task that it tells of; None if it is no message about a task.
        is_ours: Whether the task is, or was, waited for here.
        times_received: How often the message has been received, by anybody.
    """
    if is_ours:
        return Fate.DELETE
    if task_id is None:
        return Fate.DELETE if times_received >= _MOST_UNREADABLE else Fate.LEAVE
    return Fate.DELETE if times_received >= _MOST_OF_OTHERS else Fate.GIVE_BACK


def _decoded(message: str) -> Mapping[str, Any] | None:
    """Return the JSON object in a text, which may be in Base64."""
    found = load_json(message)
    if isinstance(found, Mapping):
        return found
    try:
        found = load_json(base64.b64decode("".join(message.split()), validate=True))
    except (binascii.Error, ValueError):
        return None
    return found if isinstance(found, Mapping) else None
