"""Runs sensors and operators in this process, without Airflow's runner, and their triggers in event loops of their own.

A task costs milliseconds that way. Airflow's runner needs most of a second for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from airflow.providers.common.compat.sdk import TaskDeferred
from state_store import StateStore


class Run:
    """A run of an Airflow task, with all that Airflow would store of it.

    Args:
        map_index: The task's map index.
        context: What the task's context has besides.
    """

    def __init__(self, map_index: int = -1, **context: Any) -> None:
        self.store: Any = StateStore()
        self.xcoms: dict[str, Any] = {}
        self.events: list[Any] = []
        self.task_instance = SimpleNamespace(
            dag_id="dag",
            run_id="run",
            task_id="start",
            map_index=map_index,
            max_tries=0,
            try_number=1,
            xcom_push=lambda key, value: self.xcoms.update({key: value}),
        )
        self.context: Any = {
            "ti": self.task_instance,
            "dag_run": SimpleNamespace(id=1),
            "task_state_store": self.store,
            **context,
        }

    def __call__(self, waiting: Any) -> Any:
        """Run a sensor or an operator to its end, also if it defers several times, and return its result."""
        method, event = waiting.execute, {}
        while True:
            try:
                return method(self.context, **event)
            except TaskDeferred as deferred:
                method = getattr(waiting, deferred.method_name)
                event = {"event": asyncio.run(fired(deferred.trigger))}
                self.events.append(event["event"])


def run(waiting: Any) -> Any:
    """Run a sensor or an operator to its end, and return its result."""
    return Run()(waiting)


def run_dag_in_process(dag: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Render and run a DAG's tasks, each after those that it depends on.

    Args:
        dag: The DAG.
        params: The run's parameters.

    Returns:
        The result of each task, by its id.
    """
    results: dict[str, Any] = {}
    for task in dag.topological_sort():
        task_run = Run(params=params)
        task.render_template_fields(task_run.context)
        results[task.task_id] = task_run(task)
    return results


async def fired(trigger: Any) -> Any:
    """Return the payload of the event that a trigger fires, after storing and rebuilding the trigger."""
    async for event in type(trigger)(**trigger.serialize()[1]).run():
        return event.payload
    raise AssertionError("the trigger fired no event")
