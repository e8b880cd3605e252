"""Every wait ends alike in poke, reschedule and deferrable mode: the real Airflow runs them against the emulator."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from running import DAGS, returned, run_dag
from wait_cases import CASES, MODES, STATUSES, Case


@dataclass(frozen=True)
class Run:
    states: dict[str, str]
    returned: dict[str, Any]
    failures: Path
    polls: Counter[str]


@pytest.fixture(scope="module", params=MODES)
def run(request, airflow_home, emulator) -> Run:
    """One run of a mode's DAG, for all the tests of the mode."""
    mode = request.param
    bad = {"conn_type": "cloudtasks_alibaba", "host": emulator.url, "extra": {"region": "cn-shanghai"}}
    no_key = bad | {"extra": bad["extra"] | {"auth_type": "access_key"}}
    os.environ["AIRFLOW_CONN_NO_KEY"] = json.dumps(no_key)
    os.environ["AIRFLOW_CONN_WRONG_SECRET"] = json.dumps(bad | {"login": "emulator-id", "password": "wrong-secret"})
    states = run_dag(f"waits_{mode}", file=DAGS / "waits.py")
    asked = Counter(entry["parameters"]["TaskId"].removeprefix(f"{mode}/") for entry in emulator.requests())
    return Run(states, returned(f"waits_{mode}"), airflow_home / "failures" / f"waits_{mode}", asked)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_wait_ends_the_same_way_in_every_mode(run: Run, case: Case) -> None:
    assert run.states[case.name] == case.ends
    if case.raises:
        kind, text = json.loads((run.failures / case.name).read_text())
        assert kind == case.raises[0]
        assert case.raises[1] in text
    assert run.polls[case.name] >= case.polled_at_least


@pytest.mark.parametrize("api", STATUSES)
def test_successful_wait_returns_the_normalised_task(run: Run, api: str) -> None:
    for case in CASES:
        if case.api == api and case.ends == "success":
            task = run.returned[case.name]
            assert (task["api"], task["done"], task["ok"], task["state"]) == (api, True, True, "succeeded")
            assert task["status"].casefold() == case.script[-1]["status"].strip().casefold()
            json.dumps(task, allow_nan=False)
