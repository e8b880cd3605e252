"""Runs a sensor or an operator in this process; the triggerer's part in an event loop of its own."""

from __future__ import annotations

import asyncio
from typing import Any

from airflow.providers.common.compat.sdk import TaskDeferred


def run(waiting: Any, context: Any = None) -> Any:
    """Run it to its end, however often it defers."""
    context = {} if context is None else context
    go_on, event = waiting.execute, {}
    while True:
        try:
            return go_on(context, **event)
        except TaskDeferred as deferred:
            go_on = getattr(waiting, deferred.method_name)
            event = {"event": asyncio.run(fired(deferred.trigger))}


async def fired(trigger: Any) -> Any:
    """Return the payload of the event that a trigger fires, after storing and rebuilding the trigger."""
    async for event in type(trigger)(**trigger.serialize()[1]).run():
        return event.payload
    raise AssertionError("the trigger fired no event")
