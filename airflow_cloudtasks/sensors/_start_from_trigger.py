"""Decides, when a DAG is parsed, whether a wait can begin in the triggerer, without a worker.

The triggerer renders templates with its own context and its own Jinja environment. Both offer less than a worker's.
Where something is missing, the triggerer does not fail: it blocks every trigger, or renders a wrong value. So a wait
begins there only if all its templates are known to render alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
from airflow.providers.common.compat.sdk import BaseSensorOperator, XComArg
from jinja2 import StrictUndefined, nodes
from jinja2.meta import find_undeclared_variables

from airflow_cloudtasks.operators._task_arguments import renders_natively
from airflow_cloudtasks.version_compat import AIRFLOW_RELEASE, AIRFLOW_VERSION, START_FROM_TRIGGER_SINCE

_ENVIRONMENT = jinja2.Environment(autoescape=True)  # Parses only.

# A worker knows more names. Some need answers that the triggerer's supervisor does not give, such as
# prev_start_date_success. Others are defined by the DAG.
_TI = frozenset({"ti", "task_instance"})
_NAMES = _TI.union(
    ("ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz", "logical_date"),
    ("data_interval_start", "data_interval_end", "run_id", "dag_run", "params", "macros", "var", "conn"),
    ("dag", "task", "task_instance_key_str"),
    _ENVIRONMENT.globals,
)
_TI_ATTRIBUTES = frozenset({"id", "task_id", "dag_id", "run_id", "map_index", "try_number", "xcom_pull"})
_ENVIRONMENT.filters |= dict.fromkeys(("ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz"), str)

_OTHER_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


def check_airflow_can() -> None:
    """Raise if this Airflow cannot begin a wait in the triggerer.

    Raises:
        ValueError: Airflow is too old; the text says which release is needed, and what to use instead.
    """
    if AIRFLOW_VERSION < START_FROM_TRIGGER_SINCE:
        needed = ".".join(map(str, START_FROM_TRIGGER_SINCE))
        raise ValueError(
            f"start_from_trigger needs Airflow {needed} or newer, and this is {AIRFLOW_RELEASE}; "
            "use deferrable=True, which takes a worker for a moment at the start."
        )


def renders_by_default(operator: BaseSensorOperator) -> bool:
    """Return whether a worker renders this operator's templates to strings, and raises on undefined names.

    Args:
        operator: An operator, whose DAG may change how templates are rendered.
    """
    if renders_natively(operator):
        return False
    dag = operator.get_dag()
    return dag is None or not (dag.jinja_environment_kwargs or dag.template_undefined is not StrictUndefined)


def why_not(values: Any, *, by_default: bool = True) -> str | None:
    """Return why the triggerer could not render the values of template fields as a worker does.

    Args:
        values: Value of a template field, or a list or mapping of values.
        by_default: What :func:`renders_by_default` returned for the operator.

    Returns:
        A reason, for the middle of a sentence; None if the triggerer can render all values.
    """
    return next(_obstacles(values, by_default), None)


def _obstacles(values: Any, by_default: bool) -> Iterator[str]:
    match values:
        case None | bool() | int() | float():
            return
        case str():
            yield from _obstacles_in_template(values, by_default)
        case list() | tuple():
            for value in values:
                yield from _obstacles(value, by_default)
        case Mapping():
            yield from _obstacles(list(values.values()), by_default)
        case XComArg():
            # Airflow 3.3 passes the serialized XComArg to the trigger, not its value.
            yield "an XComArg (the output of another task) is resolved on a worker only"
        case _:
            yield f"a {type(values).__name__} is resolved on a worker only"


def _obstacles_in_template(template: str, by_default: bool) -> Iterator[str]:
    try:
        parsed = _ENVIRONMENT.parse(template)
        names = find_undeclared_variables(parsed)
    except jinja2.TemplateSyntaxError as error:  # raised for an unknown filter, too
        yield f"the triggerer cannot read the template {template!r}: {error.message}"
        return
    if not by_default and ("{{" in template or "{%" in template):
        yield "the DAG changes how templates are rendered, which only a worker applies"
    if any(parsed.find_all(_OTHER_FILES)):
        yield "a template includes another one, which the triggerer does not have"
    for name in sorted(names - _NAMES):
        yield f"the triggerer does not know {name!r}, which a template uses"
    yield from _obstacles_in_uses_of_ti(parsed)


def _obstacles_in_uses_of_ti(template: nodes.Template) -> Iterator[str]:
    attributes = {attribute.node: attribute for attribute in template.find_all(nodes.Getattr)}
    with_map_indexes = {
        call.node
        for call in template.find_all(nodes.Call)
        if any(argument.key == "map_indexes" for argument in call.kwargs)
    }
    for name in template.find_all(nodes.Name):
        if name.name not in _TI:
            continue
        attribute = attributes.get(name)
        if attribute is None or attribute.attr not in _TI_ATTRIBUTES:
            yield f"the triggerer does not know what a template reads from {name.name!r}"
        elif attribute.attr == "xcom_pull" and attribute not in with_map_indexes:
            # Without map_indexes, Airflow 3.3 asks for the other task's map indexes, and blocks in the triggerer.
            yield (
                "xcom_pull without map_indexes never ends in the triggerer; write map_indexes=-1 for a task that is "
                "not mapped"
            )
