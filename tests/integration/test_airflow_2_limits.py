"""What Airflow 2 does at a limit of a try, with its own database: it ends a deferred task without resuming it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from airflow.models.dag import DAG
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, AirflowTaskTimeout

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.operators.tencent import WeDataRunWorkflowOperator
from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor
from airflow_cloudtasks.triggers.cloud_task import TIMEOUT_GRACE
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

pytestmark = pytest.mark.skipif(not IS_AIRFLOW_2, reason="Airflow 3 has none of this; test_limits covers it")

LIMIT = timedelta(seconds=15)


@pytest.fixture
def cloud(airflow_home: Any, emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


@pytest.fixture
def task_instance(cloud: Emulator, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The task instance of a function that makes an operator or a sensor, in a DAG run of its own."""
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType

    # A foreign key of Airflow's tables leads to a table of this provider.
    import_module("airflow.providers.fab.auth_manager.models")
    name = re.sub(r"\W", ".", request.node.name)
    with DAG(dag_id=name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        request.param()
    with create_session() as session:
        dag.sync_to_db(session=session)
        dag_run = dag.create_dagrun(
            run_id="test",
            run_type=DagRunType.MANUAL,
            state="running",
            execution_date=datetime(2026, 1, 1, tzinfo=UTC),
            data_interval=(datetime(2026, 1, 1, tzinfo=UTC),) * 2,
            session=session,
        )
        (found,) = dag_run.task_instances
        found.task = dag.get_task(found.task_id)
        yield found


def started_ago(task_instance: Any, seconds: float, **changes: Any) -> None:
    """Let the try have begun earlier, and the scheduler queue it again."""
    from airflow.utils.session import create_session

    task_instance.refresh_from_db()
    with create_session() as session:
        row = session.merge(task_instance)
        row.start_date -= timedelta(seconds=seconds)
        row.state = "queued"
        for name, value in changes.items():
            setattr(row, name, value)
    task_instance.refresh_from_db()


def deferred_workflow() -> None:
    WeDataRunWorkflowOperator(
        task_id="wait", project_id="p1", workflow_id="w1", deferrable=True, timeout=600, execution_timeout=LIMIT
    )


def rescheduled_sensor() -> None:
    BdrcTaskSensor(task_id="wait", cloud_task_id="1", mode="reschedule", poke_interval=1, timeout=60, retries=3)


@pytest.mark.parametrize("task_instance", [deferred_workflow], indirect=True)
@pytest.mark.parametrize("says_canceled", [True, False, None], ids=["canceled", "not_canceled", "no_event"])
def test_a_deferred_operator_ends_after_its_trigger_and_what_it_started_is_canceled(
    cloud: Emulator, task_instance: Any, says_canceled: bool | None
) -> None:
    from airflow.models.trigger import Trigger
    from airflow.utils.session import create_session

    cloud.next_running("wedata.workflow_run")
    task_instance.run(ignore_all_deps=True, ignore_ti_state=True)
    task_instance.refresh_from_db()
    assert task_instance.state == "deferred"
    assert task_instance.trigger_timeout.replace(tzinfo=UTC) == task_instance.start_date + LIMIT + TIMEOUT_GRACE
    with create_session() as session:
        trigger = session.get(Trigger, task_instance.trigger_id).kwargs
    assert trigger["deadline"] == (task_instance.start_date + LIMIT).timestamp()
    carried = {**trigger["carried"], "cancel": trigger["cancel"], "is_canceled": says_canceled}
    resumed = (
        {"next_method": "__fail__", "next_kwargs": {"error": "Trigger/execution timeout"}}
        if says_canceled is None
        else {"next_kwargs": {"event": {"timeout": "", "carried": carried}}}
    )
    started_ago(task_instance, 100, **resumed)
    with pytest.raises(AirflowTaskTimeout):
        task_instance.run(ignore_all_deps=True, ignore_ti_state=True)
    assert [each["ended"] for each in cloud.canceled()] == ([] if says_canceled else [True])


@pytest.mark.parametrize("task_instance", [rescheduled_sensor], indirect=True)
def test_reschedule_mode_counts_from_the_first_worker_of_the_try(cloud: Emulator, task_instance: Any) -> None:
    from airflow.models.taskreschedule import TaskReschedule
    from airflow.utils.session import create_session

    cloud.add_running("bdrc.task", "1")
    for _ in range(2):
        task_instance.run(ignore_all_deps=True, ignore_ti_state=True)
        task_instance.refresh_from_db()
        assert task_instance.state == "up_for_reschedule"
    with create_session() as session:
        for row in session.query(TaskReschedule).filter_by(dag_id=task_instance.dag_id):
            row.start_date -= timedelta(seconds=100)
    with pytest.raises(AirflowSensorTimeout):
        task_instance.run(ignore_all_deps=True, ignore_ti_state=True)
