"""Kills, pauses and confuses everything around hundreds of cloud tasks in real Airflow, and counts what went wrong.

Airflow runs as for users who have outgrown one machine: PostgreSQL, two triggerers, and CeleryExecutor with two workers
over Redis. Its DAGs (``chaos_dags/chaos.py``) start ``--starts`` tasks and wait for ``--waits`` others, at the emulator
of both clouds, which admits 20 requests per second for each action. They are operators that wait in the triggerer or in
a worker, and sensors of every mode, with and without ``start_from_trigger`` and ``end_from_trigger``. Some cloud tasks
fail, and a user marks some Airflow tasks as failed.

Meanwhile a script that ``--seed`` decides goes on for ``--minutes``. It kills each of these, or pauses it: the API
server, both triggerers, both workers (each with all its processes, by SIGKILL, SIGSTOP and SIGCONT). It stops the
emulator, which keeps its memory as the clouds do. A proxy between the workers and the API server answers 500 without
or with carrying a request out, cuts connections, or hangs. The emulator throttles, answers 500 or something unreadable,
hangs, resets connections, or carries a request out and loses its answer. Several of these last at the same time, some
longer than Airflow's heartbeat threshold. Then everything works again, and the rest of the tasks may end.

What the emulator recorded tells what is right:

- lost: the Airflow task has not ended, or ended otherwise than its last cloud task, or returned another one.
- twice: a cloud task was started while an earlier one of the same Airflow task ran, or after one had succeeded.
- orphaned: a cloud task ran on after its Airflow task had ended, or after the user had killed it.

All of them must be 0. "refused" is no failure: a start request got no answer, and the vendor can neither recognise a
repeated request nor list its tasks, so the operator asks the user to look instead of starting a second task. The script
counts it only for those vendors; elsewhere it is "lost". "unwatched" is Airflow's limit: the user killed a deferred
task that no living triggerer had, so no process could cancel the cloud task.

A try of an Airflow task that dies with its worker is none of these: Airflow starts another one. For this to happen
within a run, some settings of Airflow differ from the defaults (see ``_set_up``): it takes a silent task for dead after
80 instead of 300 s, and queues a task anew that no worker has taken for 100 instead of 600 s, as often as it has to.

No time limit depends on the speed of the machine: a run is given up if no Airflow task has ended for ``--drain``
seconds after the last trouble.

Exits with 1 if a count is not 0, and describes each such case.

Set-up (in a separate virtual environment; Python 3.11 or newer; Airflow 3.3 or newer). As root on Debian, the script
installs PostgreSQL and Redis; elsewhere they must be installed::

    pip install -e '.[emulator]' -r benchmarks/requirements.txt
    python benchmarks/chaos.py                                            # half an hour
    python benchmarks/chaos.py --minutes 3 --starts 30 --waits 50         # a small run
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
from airflow_database import known_dags, results, rows, triggerers
from chaotic.airflow_user import AirflowUser
from chaotic.cases import WAITABLE, Case, cases
from chaotic.clouds import Clouds, clock
from chaotic.debian import has_redis, install, redis
from chaotic.proxy import Proxy
from chaotic.storm import Machine, Storm
from chaotic.verdicts import Instance, problems
from real_airflow import Parts, airflow, answers, free_ports, postgresql, postgresql_commands, say, set_up

from airflow_cloudtasks.emulator import Emulator

RUN_ID = "chaos"
# What the scheduler writes into Airflow's audit log about a task whose worker, or whose message to a worker, is lost.
LOST_BY_AIRFLOW = ("heartbeat timeout", "stuck in queued reschedule", "state mismatch")
RATE = 20
# A user kills a task that has been waiting in the triggerer for this many seconds.
KILL_AFTER = 5
COUNTS = ("lost", "twice", "orphaned")
NOTED = ("refused", "unwatched")
EXCERPT = ("ERROR", "error", "Error", "WARNING", "warning", "has been started", "Traceback", "Unknown")


@dataclass(frozen=True)
class Kill:
    """A user's kill: when it came, in Unix seconds, and the job of the triggerer that had the wait, if any."""

    at: float
    triggerer: int | None


def main() -> int:
    options = _options()
    # Leave no process behind, even if this one gets a SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    packages = {"postgresql": postgresql_commands() is not None, "redis-server": has_redis()}
    install(*(package for package, is_installed in packages.items() if not is_installed))
    made = cases(options.seed, options.starts, options.waits, window=options.minutes * 60)
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="chaos-"))
        if options.keep:
            say(f"logs: {home}")
        else:
            stack.callback(shutil.rmtree, home, ignore_errors=True)
        # Before the environment names Airflow's home, by which its processes are found at the end.
        database, broker = stack.enter_context(postgresql()), stack.enter_context(redis())
        (emulator_port, proxy_port) = free_ports(2)
        emulator = stack.enter_context(Emulator(port=emulator_port))
        emulator.limit(RATE)
        health = _set_up(home, emulator, made, options, proxy_port, database, broker)
        proxy = stack.enter_context(Proxy(proxy_port, int(os.environ["AIRFLOW__API__PORT"]), options.seed))
        stack.callback(_end_left_processes, home)
        parts = stack.enter_context(Parts(home))
        clouds = Clouds(emulator, made)
        killed, storm = _run(parts, home, clouds, emulator, proxy, health, made, options)
        return _report(home, clouds, made, killed, storm, proxy, options)


def _end_left_processes(home: Path) -> None:
    """Kill what this Airflow has left behind, e.g. tasks whose worker has been killed."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get("AIRFLOW_HOME") == str(home):
                process.kill()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20, help="how long things go wrong (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="seed of all that is random (default: 1)")
    parser.add_argument("--starts", type=int, default=300, help="Airflow tasks that start a cloud task (default: 300)")
    parser.add_argument("--waits", type=int, default=500, help="Airflow tasks that wait for one (default: 500)")
    parser.add_argument("--slots", type=int, default=8, help="processes of each of the two workers (default: 8)")
    parser.add_argument("--drain", type=float, default=400, help="most seconds until another one ends (default: 400)")
    parser.add_argument("--keep", action="store_true", help="keep Airflow's home with all logs")
    parser.add_argument("--calm", action="store_true", help="let nothing go wrong, to check the benchmark itself")
    return parser.parse_args()


def _set_up(
    home: Path,
    emulator: Emulator,
    made: Sequence[Case],
    options: argparse.Namespace,
    port: int,
    database: str,
    broker: str,
) -> str:
    """Set Airflow up to ask its API server at a port; return the address of the API server's health check."""
    health = set_up(home, "chaos_dags", emulator.connections(), parallelism=6 * options.slots)
    plan = home / "plan.json"
    plan.write_text(json.dumps(_plan(made)))
    os.environ |= {
        "CHAOS_PLAN": str(plan),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database}",
        "AIRFLOW__CELERY__BROKER_URL": broker,
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        # On a busy machine, parsing 50 tasks may take longer than the default of 30 s.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(options.slots),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "80",
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "100",
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "20",
        # How often a queued task may be started anew: each kill of a worker takes some.
        "AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES": "100",
    }
    return health


def _plan(made: Sequence[Case]) -> dict[str, list[dict[str, Any]]]:
    """Return what the DAG file needs to know of each case, by DAG."""
    plan: dict[str, list[dict[str, Any]]] = {}
    for case in made:
        if case.starts:
            parameters = {**case.startable.parameters, case.startable.mark_param: case.mark}
            action = case.startable.action
        else:
            parameters, action = dict(WAITABLE[case.api]), None
        more = {"task_id": case.task_id, "parameters": parameters, "action": action}
        plan.setdefault(case.dag_id, []).append(case.as_dict() | more)
    return plan


# What happens.


def _machines(parts: Parts, home: Path) -> list[Machine]:
    """Return what is killed and paused: a triggerer or worker for longer than Airflow needs to take it for dead."""
    triggerer = ("triggerer", "--skip-serve-logs")
    worker = ("celery", "worker", "--skip-serve-logs")
    return [
        Machine("API server", ("api-server",), parts, longest_pause=40),
        *(Machine(f"triggerer {n}", triggerer, parts, longest_pause=50) for n in (1, 2)),
        *(
            Machine(
                f"worker {n}",
                (*worker, "--celery-hostname", f"w{n}@%h", "--pid", str(home / f"w{n}.pid")),
                parts,
                longest_pause=100,
            )
            for n in (1, 2)
        ),
    ]


def _revive(machines: Sequence[Machine]) -> None:
    for machine in machines:
        if machine.revive():
            say(f"{machine.name} had ended by itself and is started again")


def _run(
    parts: Parts,
    home: Path,
    clouds: Clouds,
    emulator: Emulator,
    proxy: Proxy,
    health: str,
    made: Sequence[Case],
    options: argparse.Namespace,
) -> tuple[dict[int, Kill], Storm]:
    """Run everything; return when the user killed which case, and the storm."""
    say("starting Airflow")
    airflow("db", "migrate")
    machines = _machines(parts, home)
    scheduler = Machine("scheduler", ("scheduler",), parts, longest_pause=0)
    for machine in (*machines, scheduler):
        machine.start()
    processor = parts.start("dag-processor")
    parts.until("Airflow's API server answers", lambda: answers(health))
    dag_ids = {case.dag_id for case in made}
    parts.until("the DAGs are known and two triggerers run", lambda: known_dags() == dag_ids and len(triggerers()) == 2)
    # The files do not change, and parsing them again and again takes CPU from what is measured.
    parts.kill(processor)
    user = AirflowUser(health.partition("/api/")[0])
    clouds.prepare()
    for dag_id in sorted(dag_ids):
        user.trigger(dag_id, RUN_ID)
    seconds = 0 if options.calm else options.minutes * 60
    storm = Storm(machines, proxy, emulator, seed=options.seed, seconds=seconds, say=say)
    storm.start()
    killed: dict[int, Kill] = {}
    try:
        _watch(clouds, made, storm, user, killed, (*machines, scheduler), options.drain)
    finally:
        storm.stop()
    return killed, storm


def _watch(
    clouds: Clouds,
    made: Sequence[Case],
    storm: Storm,
    user: AirflowUser,
    killed: dict[int, Kill],
    machines: Sequence[Machine],
    drain: float,
) -> None:
    """Drive the clouds and the user until all Airflow tasks have ended, or, after the storm, none for too long."""
    by_task = {case.task_id: case for case in made}
    reported_at, ended, given_up_at = 0.0, 0, time.monotonic() + drain
    while True:
        clouds.step()
        states = _states()
        for task_id, state in states.items():
            case = by_task[task_id]
            if case.is_killed and state == "deferred" and case.number not in killed:
                _kill(clouds, case, user, killed)
        if storm.error is not None:
            raise storm.error
        before, ended = ended, sum(state in ("success", "failed") for state in states.values())
        if storm.is_alive() or ended != before:
            given_up_at = time.monotonic() + drain
        if ended == len(made):
            break
        if time.monotonic() > given_up_at:
            say(f"no Airflow task has ended for {drain:g} s")
            break
        if time.monotonic() > reported_at + 20:
            reported_at = time.monotonic()
            _revive(machines)
            say(", ".join(f"{count} {state}" for state, count in Counter(states.values()).most_common()))
        time.sleep(0.5)
    # The cancellations of the last kills must have reached the cloud by then.
    time.sleep(10)
    clouds.step()


def _kill(clouds: Clouds, case: Case, user: AirflowUser, killed: dict[int, Kill]) -> None:
    remotes = clouds.of(case)
    if not remotes or time.time() < remotes[-1].started_at + KILL_AFTER:
        return
    kill = Kill(time.time(), _triggerer_of(case))
    try:
        user.mark_failed(case.dag_id, RUN_ID, case.task_id)
    except (OSError, HTTPException):  # the API server is down
        return
    killed[case.number] = kill
    say(f"the user marks {case.task_id} as failed")


# Looking at Airflow.


def _states() -> dict[str, str]:
    from airflow.models.taskinstance import TaskInstance

    return {task_id: str(state) for task_id, state in rows(TaskInstance.task_id, TaskInstance.state)}


def _triggerer_of(case: Case) -> int | None:
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.trigger import Trigger

    where = [TaskInstance.task_id == case.task_id, TaskInstance.trigger_id == Trigger.id]
    return next((job for (job,) in rows(Trigger.triggerer_id, where=where)), None)


def _unwatched(killed: dict[int, Kill]) -> set[int]:
    """Return the kills of tasks that no triggerer had, or one that has given no sign of life since."""
    from airflow.jobs.job import Job

    alive_at = {id_: at.timestamp() for id_, at in rows(Job.id, Job.latest_heartbeat)}
    return {number for number, kill in killed.items() if alive_at.get(kill.triggerer, 0.0) < kill.at}


def _instances(home: Path, killed: dict[int, Kill]) -> dict[str, Instance]:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    returned = {task_id: result for (task_id, _), result in results().items()}
    unwatched = _unwatched(killed)
    instances = {}
    with create_session() as session:
        for row in session.query(TaskInstance):
            number = int(row.task_id.rpartition("_")[2])
            kill, ended_at = killed.get(number), row.end_date.timestamp() if row.end_date else None
            instances[row.task_id] = Instance(
                row.state,
                ended_at if kill is None else kill.at,
                row.try_number,
                returned.get(row.task_id),
                refused=row.state == "failed" and any("StartUnknown" in line for line in _log(home, row.task_id)),
                unwatched=number in unwatched,
            )
    return instances


def _log(home: Path, task_id: str) -> list[str]:
    files = sorted(home.glob(f"logs/dag_id=*/*/task_id={task_id}/*.log*"), key=lambda file: file.stat().st_mtime)
    return [line for file in files for line in file.read_text(errors="replace").splitlines()]


# The report.


def _report(
    home: Path,
    clouds: Clouds,
    made: Sequence[Case],
    killed: dict[int, Kill],
    storm: Storm,
    proxy: Proxy,
    options: argparse.Namespace,
) -> int:
    from airflow import __version__

    instances = _instances(home, killed)
    nothing = Instance(None, None, 0, None)
    found = {case: problems(case, instances.get(case.task_id, nothing), clouds.of(case)) for case in made}
    _print_deviations(home, clouds, found, instances)
    print(f"\nAirflow {__version__}, PostgreSQL, 2 triggerers, 2 Celery workers of {options.slots} processes.")
    print(f"Seed {options.seed}, {options.minutes:g} minutes: {sum(map(len, storm.began.values()))} troubles.\n")
    _print_troubles(storm, clouds, proxy)
    head = ("Airflow tasks", "how", "cloud tasks", "tries", "killed by the user", *NOTED, *COUNTS)
    print(f"\n| {' | '.join(head)} |\n{'| --- ' * len(head)}|")
    for starts, mode in sorted({(case.starts, case.mode) for case in made}, reverse=True):
        chosen = [case for case in made if (case.starts, case.mode) == (starts, mode)]
        cells = (
            f"{len(chosen)} {'starts' if starts else 'waits'}",
            mode,
            sum(len(clouds.of(case)) for case in chosen),
            sum(instances[case.task_id].tries for case in chosen if case.task_id in instances),
            sum(case.number in killed for case in chosen),
            *(sum(kind in found[case] for case in chosen) for kind in (*NOTED, *COUNTS)),
        )
        print(f"| {' | '.join(map(str, cells))} |")
    totals = {kind: sum(kind in each for each in found.values()) for kind in COUNTS}
    print("\n" + ", ".join(f"{count} {kind}" for kind, count in totals.items()) + ".")
    return 1 if any(totals.values()) else 0


def _print_troubles(storm: Storm, clouds: Clouds, proxy: Proxy) -> None:
    from airflow.models.log import Log

    print("| trouble of | how often |\n| --- | --- |")
    for target in sorted({target for target, _ in storm.began}):
        counts = (f"{what} {len(times)}" for (of, what), times in sorted(storm.began.items()) if of == target)
        print(f"| {target} | {', '.join(counts)} |")
    outcomes = ", ".join(f"{what} {count}" for what, count in clouds.outcomes.most_common())
    print(f"\nRequests to the clouds: {outcomes}.")
    print(f"Requests to the API server: {proxy.asked}, of which {proxy.failed} were made to fail.")
    events = Counter(event for (event,) in rows(Log.event, where=[Log.event.in_(LOST_BY_AIRFLOW)]))
    print(f"Airflow's audit log: {', '.join(f'{event} {events[event]}' for event in LOST_BY_AIRFLOW)}.")


def _print_deviations(
    home: Path, clouds: Clouds, found: dict[Case, dict[str, str]], instances: dict[str, Instance]
) -> None:
    for case, what in found.items():
        if not what:
            continue
        instance = instances.get(case.task_id)
        print(f"\n{case.dag_id} {case.task_id} ({case.api}, {case.mode}): {what}")
        if instance is not None:
            ended = "never" if instance.ended_at is None else f"at {clock(instance.ended_at)}"
            print(f"  Airflow: {instance.state}, ended {ended}, {instance.tries} tries")
        for remote in clouds.of(case):
            print(f"  cloud: {remote}")
        telling = [line for line in _log(home, case.task_id) if any(word in line for word in EXCERPT)]
        for line in telling[-12:]:
            print(f"  log: {line[:300]}")


if __name__ == "__main__":
    sys.exit(main())
