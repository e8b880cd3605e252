"""The Airflow tasks of a chaos run. Pure: a seed decides everything."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

# Airflow tasks of one DAG. A worker parses the whole DAG of its task.
PER_DAG = 50

PROJECT = {"ProjectId": "1460947878944567296"}


@dataclass(frozen=True)
class Startable:
    """An API whose tasks the run starts.

    Args:
        api: The API.
        mark_param: The parameter that takes a case's number, so that the emulator's record tells which case it was.
        parameters: The other parameters.
        action: The action; None for the default.
        tells_nothing: Whether the vendor can neither recognise a repeated request nor list its tasks. Only then may an
            operator refuse to guess whether a lost request has started a task.
        can_cancel: Whether the vendor can cancel a task.
    """

    api: str
    mark_param: str
    parameters: dict[str, Any] = field(default_factory=dict)
    action: str | None = None
    tells_nothing: bool = False
    can_cancel: bool = False


STARTABLE = (
    Startable("wedata.workflow_run", "WorkflowId", PROJECT, can_cancel=True),
    Startable("wedata.sql_run", "ScriptId", PROJECT, can_cancel=True),
    Startable("ice.workflow_task", "WorkflowId"),
    Startable("ice.ai_workflow_task", "WorkflowId", tells_nothing=True, can_cancel=True),
    Startable("bpstudio.operation", "ApplicationId", {"ServiceType": "ecs", "Operation": "start"}),
    Startable("bdrc.task", "ResourceType"),
    Startable("lke.task", "BotBizId", action="ExportAttributeLabel", tells_nothing=True),
)

# The APIs that are waited for, with the parameters that identify a task.
WAITABLE: dict[str, dict[str, Any]] = {
    "wedata.workflow_run": PROJECT,
    "lke.task": {"TaskType": "ExportAttributeLabel", "BotBizId": "1846203758192640000"},
    "ice.workflow_task": {},
    "bdrc.task": {},
    "bpstudio.operation": {},
}

# How the Airflow tasks wait, with weights. Airflow needs a process for each step of most of them, so those that need
# none are the most, as they are for users with many waits.
START_MODES = {"deferrable": 60, "worker": 40}
WAIT_MODES = {"no_worker": 68, "start_from_trigger": 12, "deferrable": 12, "poke": 4, "reschedule": 4}


@dataclass(frozen=True)
class Case:
    """One Airflow task, and how its cloud tasks go.

    Args:
        number: Its number. As text, it is the id of the cloud task that is waited for, or the mark of those that are
            started.
        dag_id: The DAG.
        starts: Whether the task starts a cloud task; otherwise it waits for one that is there.
        api: The API.
        mode: How it waits.
        seconds: How long a cloud task runs: from its start, or from the beginning of the run.
        failures: How many cloud tasks fail before one succeeds. A wait has only one.
        is_killed: Whether the user marks the Airflow task as failed while the cloud task runs.
    """

    number: int
    dag_id: str
    starts: bool
    api: str
    mode: str
    seconds: float
    failures: int = 0
    is_killed: bool = False

    @property
    def task_id(self) -> str:
        """The id of the Airflow task."""
        return f"{'start' if self.starts else 'wait'}_{self.number}"

    @property
    def mark(self) -> str:
        """The number as text; no other parameter has this value."""
        return str(self.number)

    @property
    def startable(self) -> Startable:
        """The API, for a case that starts a task."""
        return next(startable for startable in STARTABLE if startable.api == self.api)

    def as_dict(self) -> dict[str, Any]:
        """Return the case as plain JSON types, for the DAG file."""
        return asdict(self)


def cases(seed: int, starts: int, waits: int, window: float) -> list[Case]:
    """Return the cases of a run.

    A task that is awaited in a worker ends early: it occupies one of the workers' few processes.

    Args:
        seed: The seed.
        starts: How many Airflow tasks start a cloud task.
        waits: How many wait for one.
        window: Seconds over which the awaited tasks end.
    """
    dice = random.Random(seed)
    kinds = [True] * starts + [False] * waits
    dice.shuffle(kinds)
    made = [
        _start(dice, *where, window) if is_start else _wait(dice, *where, window)
        for is_start, where in zip(kinds, _places(), strict=False)
    ]
    killable = [case for case in made if case.starts and case.startable.can_cancel and case.mode == "deferrable"]
    killed = {case.number for case in dice.sample(killable, min(len(killable), starts // 30))}
    return [_killed(case, window) if case.number in killed else case for case in made]


def _places() -> Iterator[tuple[int, str]]:
    number = 0
    while True:
        yield 88_000_000 + number, f"chaos_{number // PER_DAG:02}"
        number += 1


def _start(dice: random.Random, number: int, dag_id: str, window: float) -> Case:
    mode = _drawn(dice, START_MODES)
    return Case(
        number,
        dag_id,
        starts=True,
        api=dice.choice(STARTABLE).api,
        mode=mode,
        seconds=dice.uniform(5, window / (20 if mode == "worker" else 4)),
        failures=int(dice.random() < 0.05),
    )


def _wait(dice: random.Random, number: int, dag_id: str, window: float) -> Case:
    mode = _drawn(dice, WAIT_MODES)
    return Case(
        number,
        dag_id,
        starts=False,
        api=dice.choice(list(WAITABLE)),
        mode=mode,
        seconds=dice.uniform(5, window / (10 if mode == "poke" else 1)),
        failures=int(dice.random() < 0.03),
    )


def _killed(case: Case, window: float) -> Case:
    return Case(**{**case.as_dict(), "is_killed": True, "failures": 0, "seconds": 2 * window})


def _drawn(dice: random.Random, weights: dict[str, int]) -> str:
    return dice.choices(list(weights), list(weights.values()))[0]
