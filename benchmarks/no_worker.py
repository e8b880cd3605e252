"""Counts the worker processes that waits need if they begin and end in the triggerer, in real Airflow.

Two DAGs of ``no_worker_dags/waits.py`` run one after the other on one `airflow standalone`, each with 100 sensors
whose ids are templates. One DAG sets ``start_from_trigger`` and ``end_from_trigger``, the other one only
``deferrable``. The sensors wait for tasks of the emulator, which admits 20 requests per second as the real API does.
Once all sensors of a DAG are deferred, all its tasks end at once.

Two independent counts show what workers started:

- processes: every process for a task calls Airflow's local settings for environment variables before it executes the
  task. The local settings of this Airflow home write down the process id. The distinct ids are counted. (Listeners
  would work, too, but if there are any, Airflow refuses DAGs with ``end_from_trigger``.)
- runs: Airflow's API server records an event whenever a worker begins to run a task.

The second DAG proves that both counts work: each of its waits needs one process to begin and one to end. A wait ended
right if its task instance succeeded and its XCom holds, as an object, the task that it waited for.

Exits with 1 unless both counts are zero for the first DAG and two per wait for the second DAG, and all waits of both
DAGs ended right.

Set-up (in a separate virtual environment; Python 3.11 or newer; Airflow 3.3 or newer)::

    pip install -e '.[emulator]' -r benchmarks/requirements.txt
    python benchmarks/no_worker.py
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_database import known_dags, results, rows, states
from real_airflow import Parts, airflow, answers, say, set_up

from airflow_cloudtasks.emulator import Emulator

API = "lke.task"
# Seconds that a task takes unless the benchmark ends it: longer than any run.
FOREVER = 1e6
STARTS = "starts.txt"
LOCAL_SETTINGS = f"""
import os
from pathlib import Path

def get_airflow_context_vars(context):
    with Path(os.environ["AIRFLOW_HOME"], "{STARTS}").open("a") as starts:
        starts.write(f"{{context['dag'].dag_id}} {{os.getpid()}}\\n")
    return {{}}
"""
HOW = {"no_worker": "`start_from_trigger` and `end_from_trigger`", "deferrable": "neither, `deferrable` only"}


@dataclass(frozen=True)
class Figures:
    """The counts and times of one DAG."""

    processes: int
    runs: int
    succeeded: int
    right: int
    until_all_wait: float
    until_the_end: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--waits", type=int, default=100, help="sensors of each DAG (default: 100)")
    parser.add_argument("--rate", type=float, default=20, help="requests per second that are admitted (default: 20)")
    parser.add_argument("--parallelism", type=int, default=4, help="Airflow's worker processes (default: 4)")
    options = parser.parse_args()
    with ExitStack() as stack:
        directory = tempfile.TemporaryDirectory(prefix="no-worker-", ignore_cleanup_errors=True)
        home = Path(stack.enter_context(directory))
        emulator = stack.enter_context(Emulator())
        emulator.limit(options.rate)
        health = _set_up(home, emulator, options)
        parts = stack.enter_context(Parts(home))
        parts.start("standalone")
        say("starting Airflow")
        parts.until("Airflow's API server answers", lambda: answers(health))
        parts.until("the DAGs are known", lambda: known_dags() == set(HOW))
        return _report({dag_id: _run(parts, emulator, home, dag_id, options.waits) for dag_id in HOW}, options)


def _set_up(home: Path, emulator: Emulator, options: argparse.Namespace) -> str:
    """Set Airflow up through the environment that its processes inherit; return the address of its health check."""
    (home / "config").mkdir()
    (home / "config" / "airflow_local_settings.py").write_text(LOCAL_SETTINGS)
    (home / STARTS).touch()
    health = set_up(home, "no_worker_dags", emulator.connections(), options.parallelism)
    os.environ["NO_WORKER_WAITS"] = str(options.waits)
    return health


def _run(parts: Parts, emulator: Emulator, home: Path, dag_id: str, waits: int) -> Figures:
    for number in range(waits):
        emulator.add_running(API, f"{dag_id}-{number}", FOREVER)
    say(f"{dag_id}: starting {waits} sensors")
    airflow("dags", "trigger", dag_id)
    began = time.monotonic()
    parts.until(f"{dag_id}: all are deferred", lambda: states(dag_id) == {"deferred": waits})
    deferred = time.monotonic()
    emulator.advance(FOREVER)
    parts.until(f"{dag_id}: all have ended", lambda: set(states(dag_id)) <= {"success", "failed"})
    ended = time.monotonic()
    return _look(home, dag_id, waits, deferred - began, ended - deferred)


def _look(home: Path, dag_id: str, waits: int, until_all_wait: float, until_the_end: float) -> Figures:
    from airflow.models.log import Log

    returned = results(dag_id)
    runs = len(rows(Log.id, where=[Log.dag_id == dag_id, Log.event == "running"]))
    started = [line.split() for line in (home / STARTS).read_text().splitlines()]
    return Figures(
        processes=len({pid for of, pid in started if of == dag_id}),
        runs=runs,
        succeeded=states(dag_id)["success"],
        right=sum(_is_right(returned.get((f"wait_{number}", -1)), f"{dag_id}-{number}") for number in range(waits)),
        until_all_wait=until_all_wait,
        until_the_end=until_the_end,
    )


def _is_right(task: Any, task_id: str) -> bool:
    return isinstance(task, dict) and (task["api"], task["id"], task["ok"]) == (API, task_id, True)


def _report(figures: dict[str, Figures], options: argparse.Namespace) -> int:
    from airflow import __version__

    print(f"Airflow {__version__}, `airflow standalone`, {options.parallelism} worker processes at once.\n")
    print("| waits with | waits | processes of workers | runs noted | succeeded | XComs right | all wait | all ended |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for dag_id, of in figures.items():
        cells = (HOW[dag_id], options.waits, f"**{of.processes}**", of.runs, of.succeeded, of.right)
        print(f"| {' | '.join(map(str, cells))} | {of.until_all_wait:.1f} s | {of.until_the_end:.1f} s |")
    failures = []
    for dag_id, expected in (("no_worker", 0), ("deferrable", 2 * options.waits)):
        of = figures[dag_id]
        if (of.processes, of.runs) != (expected, expected):
            failures.append(f"{dag_id}: {of.processes} processes and {of.runs} runs on workers, expected {expected}")
        if (of.succeeded, of.right) != (options.waits, options.waits):
            failures.append(f"{dag_id}: {of.succeeded} of {options.waits} succeeded, {of.right} XComs are right")
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
