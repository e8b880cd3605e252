"""Every wait ends alike in poke, reschedule and deferrable mode.

The real Airflow runs the waits that end in ways of their own. The waits on each status run without its runner.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow.exceptions import AirflowRescheduleException
from in_process import Run
from running import DAGS, returned, run_dag
from wait_cases import CASES, MODES, PARAMS, STATUS_CASES, Case

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.waiting import airflow_try


@dataclass(frozen=True)
class Ended:
    states: dict[str, str]
    returned: dict[str, Any]
    failures: Path
    polls: Counter[str]


def polls(emulator: Emulator) -> Counter[str]:
    return Counter(entry["parameters"]["TaskId"] for entry in emulator.requests())


@contextmanager
def next_status_at_each_poll(emulator: Emulator, cases: dict[str, Case]) -> Iterator[None]:
    """Let the tasks of these ids go on to their last status once they have been read."""
    is_over = threading.Event()
    waiting = {task_id: case for task_id, case in cases.items() if len(case.script) > 1}

    def go_on() -> None:
        while waiting and not is_over.wait(0.02):
            for task_id in polls(emulator).keys() & waiting.keys():
                case = waiting.pop(task_id)
                emulator.add_task(case.api, task_id, script=case.script[1:], fields=case.fields)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.fixture(scope="module", params=MODES)
def ended(request: pytest.FixtureRequest, airflow_home: Path, emulator: Emulator) -> Ended:
    """One run of a mode's DAG, for all the tests of the mode."""
    mode = request.param
    bad = {"conn_type": "cloudtasks_alibaba", "host": emulator.url, "extra": {"region": "cn-shanghai"}}
    no_key = bad | {"extra": bad["extra"] | {"auth_type": "access_key"}}
    os.environ["AIRFLOW_CONN_NO_KEY"] = json.dumps(no_key)
    os.environ["AIRFLOW_CONN_WRONG_SECRET"] = json.dumps(bad | {"login": "emulator-id", "password": "wrong-secret"})
    emulator.reset()
    with next_status_at_each_poll(emulator, {f"{mode}/{case.name}": case for case in CASES}):
        states = run_dag(f"waits_{mode}", file=DAGS / "waits.py")
    asked = Counter({task_id.removeprefix(f"{mode}/"): count for task_id, count in polls(emulator).items()})
    return Ended(states, returned(f"waits_{mode}"), airflow_home / "failures" / f"waits_{mode}", asked)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_wait_ends_the_same_way_in_every_mode(ended: Ended, case: Case) -> None:
    assert ended.states[case.name] == case.ends
    if case.raises:
        kind, text = json.loads((ended.failures / case.name).read_text())
        assert kind == case.raises[0]
        assert case.raises[1] in text
    assert ended.polls[case.name] >= case.polled_at_least
    if case.ends == "success":
        is_normalised(case, ended.returned[case.name])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", STATUS_CASES, ids=lambda case: case.name)
def test_status_ends_a_wait_the_same_way_in_every_mode(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, case: Case, mode: str
) -> None:
    emulator.reset()
    emulator.add_task(case.api, case.name, script=case.script[:1], fields=case.fields)
    with next_status_at_each_poll(emulator, {case.name: case}):
        if case.raises is None:
            is_normalised(case, wait(case, mode, monkeypatch))
        else:
            with pytest.raises(Exception, match=case.raises[1]) as error:
                wait(case, mode, monkeypatch)
            assert error.type.__name__ == case.raises[0]
    assert polls(emulator)[case.name] >= case.polled_at_least


def wait(case: Case, mode: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a sensor to its end, as often as it is rescheduled."""
    rescheduled = 0
    monkeypatch.setattr(airflow_try, "_reschedules", lambda *_: (None, rescheduled))
    sensor = CloudTaskSensor(
        task_id=case.name,
        api=case.api,
        cloud_task_id=case.name,
        api_params=PARAMS.get(case.api),
        deferrable=mode == "deferrable",
        mode="reschedule" if mode == "reschedule" else "poke",
        poke_interval=0.03,
        timeout=60,
        **case.sensor,
    )
    while True:
        try:
            return Run()(sensor)
        except AirflowRescheduleException:
            rescheduled += 1


def is_normalised(case: Case, task: Any) -> None:
    assert (task["api"], task["done"], task["ok"], task["state"]) == (case.api, True, True, "succeeded")
    assert task["status"].casefold() == case.script[-1]["status"].strip().casefold()
    json.dumps(task, allow_nan=False)
