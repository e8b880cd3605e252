"""Parsing the DAG decides whether a wait begins in the triggerer or on a worker."""

from __future__ import annotations

import warnings
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator
from airflow.triggers.base import StartTriggerArgs
from jinja2 import StrictUndefined, Undefined

from airflow_cloudtasks.operators.cloud_task import GetCloudTaskOperator
from airflow_cloudtasks.sensors import _start_from_trigger as start_from_trigger
from airflow_cloudtasks.sensors._start_from_trigger import why_not
from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.sensors.tencent import WeDataTaskSensor
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION

BOTH: dict[str, Any] = {"start_from_trigger": True, "end_from_trigger": True}
can_start = pytest.mark.skipif(
    AIRFLOW_VERSION < (3, 3), reason="test_refuses_start_from_trigger_before_airflow_3_3 tests the refusal"
)


@pytest.mark.parametrize(
    "value",
    [
        None,
        2615,
        "t-0004d9ctt1ii",
        "{{ ds }}",
        "{{ params.id }}-{{ dag_run.conf['id'] }}-{{ var.value.id }}-{{ conn.a.login }}",
        "{{ logical_date | ts_nodash | upper }}{{ macros.ds_add(ds, 1) }}",
        "{% for number in range(3) %}{{ number }}{% endfor %}",
        "{% set day = ds %}{{ day }}",
        "{{ ti.task_id }}{{ task_instance.run_id }}{{ ti.map_index }}",
        "{{ ti.xcom_pull(task_ids='a', map_indexes=-1) }}",
        "{{ ti.xcom_pull('a', map_indexes=-1)['b'] }}",
        "{{ task_instance.xcom_pull('a', key='c', map_indexes=[0, 1])[0] }}",
        "xcom_pull({ds}) of prev_start_date_success",
        "{% raw %}{{ own() }}{% endraw %}",
        {"ProjectId": "{{ ds }}", "More": [{"Deep": ("{{ ts }}", 1, None, True)}]},
    ],
)
def test_accepts_a_template_that_the_triggerer_can_render(value: Any) -> None:
    assert why_not(value) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("{{ ti.xcom_pull(task_ids='a') }}", "xcom_pull without map_indexes never ends in the triggerer"),
        ("{{ ti.xcom_pull(map_indexes=-1) }}{{ task_instance.xcom_pull('a')['b'] }}", "xcom_pull without map_indexes"),
        ("{% set pull = ti.xcom_pull %}{{ pull('a') }}", "xcom_pull without map_indexes"),
        ("{% set me = ti %}{{ me.xcom_pull('a') }}", "does not know what a template reads from 'ti'"),
        ("{{ ti['xcom_pull']('a') }}", "does not know what a template reads from 'ti'"),
        ("{{ ti.get_dagrun_state() }}", "does not know what a template reads from 'ti'"),
        ("{{ ti.start_date }}", "does not know what a template reads from 'ti'"),
        ("{{ prev_start_date_success }}", "does not know 'prev_start_date_success'"),
        ("{{ own_macro(ds) }}", "does not know 'own_macro'"),
        ("{{ ds | own_filter }}", "No filter named 'own_filter'"),
        ("{% include 'other' %}", "a template includes another one"),
        ("{{ ds", "cannot read the template '{{ ds'"),
        ({"a": [{"b": ("{{ ti.xcom_pull('a') }}",)}]}, "xcom_pull without map_indexes"),
        ({"a", "b"}, "a set is resolved on a worker only"),
        (lambda context, jinja_env: "1", "a function is resolved on a worker only"),
    ],
)
def test_refuses_a_template_that_the_triggerer_cannot_render(value: Any, reason: str) -> None:
    assert reason in (why_not(value) or "")
    assert reason in (why_not(["fine", value]) or "")


def test_refuses_the_output_of_another_task() -> None:
    first = GetCloudTaskOperator(task_id="first", api="bdrc.task", cloud_task_id="1")
    for value in (first.output, first.output["id"], {"a": [first.output["id"]]}):
        assert why_not(value) == "an XComArg (the output of another task) is resolved on a worker only"


@can_start
@pytest.mark.parametrize(
    "arguments",
    [
        {"cloud_task_id": "{{ ds }}", "region": "{{ params.region }}"},
        {"cloud_task_id": ["1", "{{ ds }}"], "success_statuses": ["{{ params.good }}"]},
    ],
)
def test_starts_from_the_trigger_with_unrendered_arguments(arguments: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with DAG(dag_id="plain", schedule=None):
            sensor = BdrcTaskSensor(task_id="wait", timeout=100, **arguments, **BOTH)
    args = sensor.start_trigger_args
    assert sensor.start_from_trigger
    assert sensor.deferrable
    assert isinstance(args, StartTriggerArgs)
    assert (args.next_method, args.timeout) == ("execute_complete", timedelta(seconds=160))
    assert args.trigger_kwargs is not None
    assert arguments.items() <= args.trigger_kwargs.items()
    trigger = CloudTaskTrigger(**args.trigger_kwargs)
    path, stored = trigger.serialize()
    assert path == args.trigger_cls
    assert stored["end_from_trigger"]


def _of_own_macro() -> None:
    with DAG(dag_id="macro", schedule=None, user_defined_macros={"own": str}):
        BdrcTaskSensor(task_id="wait", cloud_task_id="{{ own() }}", **BOTH)


def _native() -> None:
    with DAG(dag_id="native", schedule=None, render_template_as_native_obj=True):
        BdrcTaskSensor(task_id="wait", cloud_task_id="{{ params.ids }}", **BOTH)


def _lenient() -> None:
    with DAG(dag_id="lenient", schedule=None, template_undefined=Undefined):
        BdrcTaskSensor(task_id="wait", cloud_task_id="{{ params.ids }}", **BOTH)


def _of_index() -> None:
    with DAG(dag_id="index", schedule=None):
        WeDataTaskSensor(task_id="wait", cloud_task_id="1", project_id="{{ ti.xcom_pull('a') }}", **BOTH)


def _of_xcom_arg() -> None:
    with DAG(dag_id="xcom_arg", schedule=None):
        first = GetCloudTaskOperator(task_id="first", api="bdrc.task", cloud_task_id="1")
        WeDataTaskSensor(task_id="wait", cloud_task_id="1", project_id=first.output["id"], **BOTH)


def _mapped() -> None:
    with DAG(dag_id="mapped", schedule=None):
        BdrcTaskSensor.partial(task_id="wait", **BOTH).expand(cloud_task_id=["1", "2"])


def _mapped_by_default() -> None:
    with DAG(dag_id="mapped_by_default", schedule=None, default_args=BOTH):
        BdrcTaskSensor.partial(task_id="wait").expand(cloud_task_id=["1", "2"])


@can_start
@pytest.mark.parametrize(
    ("parse", "reason"),
    [
        (_of_index, "xcom_pull without map_indexes"),
        (_of_xcom_arg, "an XComArg"),
        (_mapped, "a mapped task begins on a worker only"),
        (_mapped_by_default, "a mapped task begins on a worker only"),
        (_of_own_macro, "does not know 'own'"),
        (_native, "the DAG changes how templates are rendered"),
        (_lenient, "the DAG changes how templates are rendered"),
    ],
)
def test_warns_once_why_a_wait_begins_on_a_worker(parse: Any, reason: str) -> None:
    with pytest.warns(UserWarning) as warned:  # noqa: PT030 - the text is checked below
        parse()
    (text,) = [str(warning.message) for warning in warned]
    assert text.startswith("wait: the wait begins on a worker despite start_from_trigger, because ")
    assert reason in text


@can_start
def test_a_wait_that_begins_on_a_worker_is_deferrable() -> None:
    with DAG(dag_id="worker", schedule=None), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sensor = BdrcTaskSensor(task_id="wait", cloud_task_id="{{ ti.xcom_pull('a') }}", **BOTH)
        mapped = BdrcTaskSensor.partial(task_id="mapped", **BOTH).expand(cloud_task_id=["1"])
    assert sensor.deferrable
    assert not sensor.start_from_trigger
    assert sensor.start_trigger_args is None
    assert not mapped.start_from_trigger
    assert mapped.partial_kwargs["deferrable"]
    assert mapped.partial_kwargs["end_from_trigger"]


@can_start
def test_a_wait_without_templates_starts_from_the_trigger_in_a_native_dag() -> None:
    with DAG(dag_id="native_plain", schedule=None, render_template_as_native_obj=True):
        assert BdrcTaskSensor(task_id="wait", cloud_task_id="t-1", **BOTH).start_from_trigger


@can_start
@pytest.mark.parametrize(
    ("limit", "most", "grace"),
    [(None, 160, 60), (timedelta(hours=1), 160, 60), (timedelta(seconds=130), 130, 30), (timedelta(seconds=9), 9, 0)],
)
def test_the_trigger_ends_at_the_limit_that_is_reached_first(limit: Any, most: float, grace: float) -> None:
    sensor = BdrcTaskSensor(task_id="wait", cloud_task_id="1", timeout=100, execution_timeout=limit, **BOTH)
    args = sensor.start_trigger_args
    assert args is not None
    assert args.timeout == timedelta(seconds=most)
    assert args.trigger_kwargs is not None
    assert args.trigger_kwargs["grace"] == grace


def test_ignores_the_template_fields_of_a_subclass() -> None:
    class Own(BdrcTaskSensor):
        template_fields = (*BdrcTaskSensor.template_fields, "own")
        own = "{{ own() }}"

    sensor = Own(task_id="wait", cloud_task_id="1", end_from_trigger=True)
    CloudTaskTrigger(**sensor._trigger_arguments())


@can_start
def test_the_trigger_refuses_undefined_variables_in_templates() -> None:
    environment = CloudTaskTrigger(api="bdrc.task", cloud_task_id="1").get_template_env()
    assert environment.undefined is StrictUndefined


@pytest.mark.parametrize("arguments", [{"start_from_trigger": True}, {"end_from_trigger": True}, BOTH])
def test_refuses_deferrable_false_with_start_or_end_from_trigger(
    arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_from_trigger, "AIRFLOW_VERSION", (3, 3))
    with pytest.raises(ValueError, match="wait in the triggerer: leave deferrable out"):
        BdrcTaskSensor(task_id="wait", cloud_task_id="1", deferrable=False, **arguments)


@pytest.mark.filterwarnings("ignore:.*was never mapped")
@pytest.mark.parametrize("sensor", [BdrcTaskSensor, BdrcTaskSensor.partial])
@pytest.mark.parametrize("version", [(2, 11), (3, 2)] if AIRFLOW_VERSION >= (3, 3) else [AIRFLOW_VERSION])
def test_refuses_start_from_trigger_before_airflow_3_3(
    sensor: type[CloudTaskSensor], version: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_from_trigger, "AIRFLOW_VERSION", version)
    with pytest.raises(
        ValueError, match=r"start_from_trigger needs Airflow 3\.3 or newer, and this is .*deferrable=True"
    ):
        sensor(task_id="wait", **({"cloud_task_id": "1"} if isinstance(sensor, type) else {}), start_from_trigger=True)


def test_end_from_trigger_works_on_every_airflow() -> None:
    sensor = BdrcTaskSensor(task_id="wait", cloud_task_id="1", end_from_trigger=True)
    assert isinstance(sensor, BaseOperator)
    assert sensor.deferrable
    assert not sensor.start_from_trigger
