"""Kills a triggerer with hundreds of waits in real Airflow with SIGKILL, and checks that every wait ends right.

One DAG, ``dags/survive_kill_waits.py``, has 300 deferrable sensors with a poke interval of 5 seconds. They wait for
tasks of the emulator, which admits 20 requests per second as the real API does. Once all sensors are deferred, their
tasks get random end times within the next ``--window`` seconds. Most tasks succeed, some fail. ``--kill-after`` seconds
into the window, the triggerer and all its processes get SIGKILL at once, as in a crash of its machine: the supervisor,
which alone uses the database, and its child, which runs the triggers. (Killing only the child would be too kind: its
supervisor would record the end, and Airflow would not wait for the threshold.) No triggerer has the killed one's waits
until its last heartbeat is older than Airflow's threshold. Tasks that end in that time end unwatched.

- ``--database sqlite``: `airflow standalone`. It does not restart its triggerer, so this script starts another one.
- ``--database postgresql``: Debian's PostgreSQL (``apt-get install postgresql``) in a temporary directory, and
  Airflow's processes one by one, with two triggerers. The killed one is not restarted; the other one takes over.

Airflow's heartbeat settings are the defaults. A wait ended right if its task instance succeeded and returned the task
that it waited for. If that task failed, the wait ended right if its task instance failed with CloudTaskFailed in its
log. For each wait:

- noticed: the last request for its task that the emulator answered before the event. If a triggerer died after it had
  received an answer, there is a later request.
- fired: the trigger's event is in Airflow's database.
- ended: the task instance has ended, in a worker that the scheduler had to start for it.

The seconds count from the task's end. For the waits of the killed triggerer they count from the kill, if that is later.
What follows the noticing is up to Airflow, and takes long on few cores, as each wait needs another worker process.

Exits with 1 unless all waits ended right, each noticed within Airflow's threshold + 1.2 x waits / rate (or 1.2 poke
intervals, if that is more). Waits that the killed triggerer did not have at the kill do not need the threshold. The
report notes, without a failure, if they take longer than without it: two triggerers share the rate without knowing of
each other.

Set-up (in a separate virtual environment; Python 3.11 or newer)::

    pip install -e '.[emulator]' -r benchmarks/requirements.txt
    python benchmarks/survive_kill.py
    python benchmarks/survive_kill.py --database postgresql
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from airflow_database import known_dags, results, rows, states, triggerers
from real_airflow import Parts, airflow, answers, postgresql, say, set_up

from airflow_cloudtasks.emulator import Emulator

DAG_ID = "survive_kill_waits"
API = "lke.task"
# As in the DAG.
POKE_INTERVAL = 5
TRIGGERER = ("triggerer", "--skip-serve-logs")
# Groups of waits, by the triggerer that had them when their tasks ended.
UNWATCHED = "nobody: the killed one had it, and no other yet"
ORPHANED = "the killed one before the kill, or the one after it"
WATCHED = "one that lived on, or the killed one and had fired"


@dataclass
class Wait:
    """One wait with the times of its steps in Unix seconds; None for a step that has not happened."""

    ended_at: float
    succeeds: bool
    orphaned: bool = False
    taken_over_at: float | None = None
    noticed_at: float | None = None
    fired_at: float | None = None
    instance_ended_at: float | None = None
    right: bool = False

    def group(self, killed_at: float) -> str:
        """Return the group of this wait, by the triggerer that had it when its task ended."""
        if not self.orphaned:
            return WATCHED
        return UNWATCHED if killed_at <= self.ended_at < (self.taken_over_at or 0) else ORPHANED

    def after(self, moment: float | None, killed_at: float) -> float:
        """Return the seconds from the task's end, or from the kill that orphaned the wait, to a moment."""
        since = max(self.ended_at, killed_at) if self.orphaned else self.ended_at
        return float("inf") if moment is None else moment - since


@dataclass
class Run:
    """The waits by the numbers of their tasks, and the time of the kill in Unix seconds."""

    waits: dict[int, Wait]
    killed_at: float


def main() -> int:
    options = _options()
    with ExitStack() as stack:
        directory = tempfile.TemporaryDirectory(prefix="survive-kill-", ignore_cleanup_errors=True)
        home = Path(stack.enter_context(directory))
        emulator = stack.enter_context(Emulator())
        emulator.limit(options.rate)
        for number in range(options.waits):
            emulator.add_running(API, str(number))
        health = _set_up(home, emulator, options)
        if options.database == "postgresql":
            os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = stack.enter_context(postgresql())
        parts = stack.enter_context(Parts(home))
        return _report(_run(parts, emulator, home, health, options), emulator, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--waits", type=int, default=300, help="sensors that wait at once (default: 300)")
    parser.add_argument("--failing", type=int, default=10, help="how many of their tasks fail (default: 10)")
    parser.add_argument("--rate", type=float, default=20, help="requests per second that are admitted (default: 20)")
    parser.add_argument("--window", type=float, default=90, help="seconds over which the tasks end (default: 90)")
    parser.add_argument("--kill-after", type=float, default=20, help="seconds of that before the kill (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random ends (default: 1)")
    parser.add_argument("--parallelism", type=int, default=4, help="Airflow's worker processes (default: 4)")
    return parser.parse_args()


def _set_up(home: Path, emulator: Emulator, options: argparse.Namespace) -> str:
    """Set Airflow up through the environment that its processes inherit; return the address of its health check."""
    health = set_up(home, "dags", emulator.connections(), options.parallelism)
    os.environ["SURVIVE_KILL_WAITS"] = str(options.waits)
    return health


# What happens.


def _run(parts: Parts, emulator: Emulator, home: Path, health: str, options: argparse.Namespace) -> Run:
    two = options.database == "postgresql"
    say("starting Airflow")
    if two:
        airflow("db", "migrate")
        for part in ("api-server", "scheduler", "dag-processor"):
            parts.start(part)
        first = parts.start(*TRIGGERER)
    else:
        standalone = parts.start("standalone")
    parts.until("Airflow's API server answers", lambda: answers(health))
    parts.until("the DAG is known and a triggerer runs", lambda: bool(known_dags()) and len(triggerers()) == 1)
    (first_id,) = triggerers()
    if two:
        parts.start(*TRIGGERER)
        parts.until("the second triggerer runs", lambda: len(triggerers()) == 2)
    else:
        first = next(child for child in standalone.children() if "triggerer" in " ".join(child.cmdline()))

    say(f"starting {options.waits} sensors")
    airflow("dags", "trigger", DAG_ID)
    parts.until("all wait in a triggerer", lambda: len(_waits_by_triggerer()) == options.waits, _states_line)
    waits = _deal_out_ends(emulator, options)
    say(f"their tasks end within the next {options.window:g} s")
    kill_at = time.time() + options.kill_after
    parts.until("it is time to kill", lambda: time.time() >= kill_at)

    killed_at = time.time()
    killed = parts.kill(first)
    for number, triggerer in _waits_by_triggerer().items():
        waits[number].orphaned = triggerer == first_id
    orphans = sum(wait.orphaned for wait in waits.values())
    say(f"killed one of {1 + two} triggerers, {killed} processes, with {orphans} waits")
    if not two:
        parts.start(*TRIGGERER)

    def over() -> bool:
        """Record which waits were taken over, and return whether all task instances have ended."""
        triggerers = _waits_by_triggerer()
        for number, wait in waits.items():
            if wait.orphaned and wait.taken_over_at is None and triggerers.get(number) != first_id:
                wait.taken_over_at = time.time()
        return all(state in ("success", "failed") for state in states())

    parts.until("all task instances have ended", over, _states_line)
    _note_ends(waits, emulator, home)
    return Run(waits, killed_at)


def _deal_out_ends(emulator: Emulator, options: argparse.Namespace) -> dict[int, Wait]:
    dice = random.Random(options.seed)
    failing = set(dice.sample(range(options.waits), options.failing))
    for number in range(options.waits):
        end = "failed" if number in failing else "succeeded"
        emulator.add_running(API, str(number), dice.uniform(0, options.window), end)
    waits = {}
    for task in emulator.tasks():
        number = int(task["id"])
        waits[number] = Wait(task["created_at"] + task["script"][0]["seconds"], succeeds=number not in failing)
    return waits


def _note_ends(waits: dict[int, Wait], emulator: Emulator, home: Path) -> None:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    returned = {map_index: result for (_, map_index), result in results(DAG_ID).items()}
    with create_session() as session:
        for instance in session.query(TaskInstance).filter_by(dag_id=DAG_ID):
            number = instance.map_index
            wait = waits[number]
            # Airflow schedules the task instance when it stores the event.
            wait.fired_at = instance.scheduled_dttm.timestamp()
            wait.instance_ended_at = instance.end_date.timestamp()
            if wait.succeeds:
                task = returned.get(number, {})
                wait.right = instance.state == "success" and (task.get("id"), task.get("ok")) == (str(number), True)
            else:
                logs = home.glob(f"logs/dag_id={DAG_ID}/*/task_id=wait/map_index={number}/*.log")
                wait.right = instance.state == "failed" and any("CloudTaskFailed" in log.read_text() for log in logs)
    # emulator.noticed() would return the first answer that showed the end, even if its triggerer died with it.
    for request in emulator.requests(API):
        wait = waits[int(request["parameters"]["TaskId"])]
        if request["outcome"] == "ok" and wait.ended_at <= request["time"] <= (wait.fired_at or 0):
            wait.noticed_at = request["time"]


# Looking at Airflow.


def _states_line() -> str:
    return ", ".join(f"{count} {state}" for state, count in states().most_common())


def _waits_by_triggerer() -> dict[int, int]:
    """Return the triggerer of each wait that has one, by the number of the wait's task."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.trigger import Trigger

    watched = rows(TaskInstance.map_index, Trigger.triggerer_id, where=[TaskInstance.trigger_id == Trigger.id])
    return {number: triggerer for number, triggerer in watched if triggerer is not None}


# The report.


def _report(run: Run, emulator: Emulator, options: argparse.Namespace) -> int:
    from airflow.configuration import conf

    threshold = conf.getfloat("triggerer", "triggerer_health_check_threshold")
    heartbeat = conf.getfloat("triggerer", "job_heartbeat_sec")
    bound = 1.2 * max(options.waits / options.rate, POKE_INTERVAL)
    waits = run.waits.values()
    right = sum(wait.right for wait in waits)
    failed = sum(wait.right and not wait.succeeds for wait in waits)
    requests = emulator.totals()[API]
    taken_over = [wait.taken_over_at - run.killed_at for wait in waits if wait.taken_over_at is not None]

    print(f"\nHeartbeat of a triggerer: every {heartbeat:g} s, dead after {threshold:g} s (Airflow's settings).")
    print(f"After the kill, its waits were taken over within {min(taken_over):.0f} to {max(taken_over):.0f} s.")
    seen = {int(task["id"]) for task in emulator.noticed(API) if task["noticed_at"] <= run.killed_at}
    lost = sum(wait.orphaned for number, wait in run.waits.items() if number in seen)
    print(f"Ends that it had read but not reported to Airflow, and that were read again: {lost}.")
    print(f"Requests for tasks: {requests['total']}, of which refused because of the limit: {requests['refused']}.")
    print(f"Ended right: {right} of {len(waits)}; {failed} of them failed because their tasks failed.")
    for number, wait in sorted(run.waits.items()):
        if not wait.right:
            print(f"  wrong: {number}: {wait}")

    print("\nSeconds: median, 95th percentile, maximum.")
    print("| watched at the task's end by | waits | at most | noticed | fired | task instance ended |")
    print("| --- | --- | --- | --- | --- | --- |")
    notes: list[str] = []
    failures = [] if right == len(waits) else [f"{len(waits) - right} waits did not end right"]
    limit = threshold + bound
    for group, aim in ((UNWATCHED, limit), (ORPHANED, limit), (WATCHED, bound)):
        chosen = [wait for wait in waits if wait.group(run.killed_at) == group]
        if not chosen:
            continue
        noticed, fired, ended = (
            sorted(wait.after(getattr(wait, moment), run.killed_at) for wait in chosen)
            for moment in ("noticed_at", "fired_at", "instance_ended_at")
        )
        cells = (group, len(chosen), f"{aim:g}", *map(_spread, (noticed, fired, ended)))
        print(f"| {' | '.join(map(str, cells))} |")
        late = [wait for wait in chosen if wait.after(wait.noticed_at, run.killed_at) > aim]
        if late:
            ends = sorted(wait.ended_at - run.killed_at for wait in late)
            note = (
                f"{len(late)} noticed after more than {aim:g} s, their tasks' ends {ends[0]:+.0f} to {ends[-1]:+.0f} s"
            )
            notes.append(f"{note} from the kill (watched by {group})")
        if noticed[-1] > limit:
            failures.append(f"noticed after {noticed[-1]:.1f} s, not {limit:g} s (watched by {group})")
    for note in notes:
        print(f"\nNote: {note}.")
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _spread(seconds: list[float]) -> str:
    """Return the median, the 95th percentile and the maximum of sorted times."""
    return f"{median(seconds):.1f}, {seconds[int(0.95 * (len(seconds) - 1))]:.1f}, **{seconds[-1]:.1f}**"


if __name__ == "__main__":
    sys.exit(main())
