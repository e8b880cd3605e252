"""Runs a sensor or an operator in this process, and its triggers in event loops of their own."""

from __future__ import annotations

import asyncio
from typing import Any

from airflow.providers.common.compat.sdk import TaskDeferred


def run(waiting: Any, context: Any = None) -> Any:
    """Run a sensor or an operator to its end, also if it defers several times, and return its result."""
    context = {} if context is None else context
    method, event = waiting.execute, {}
    while True:
        try:
            return method(context, **event)
        except TaskDeferred as deferred:
            method = getattr(waiting, deferred.method_name)
            event = {"event": asyncio.run(fired(deferred.trigger))}


async def fired(trigger: Any) -> Any:
    """Return the payload of the event that a trigger fires, after storing and rebuilding the trigger."""
    async for event in type(trigger)(**trigger.serialize()[1]).run():
        return event.payload
    raise AssertionError("the trigger fired no event")
