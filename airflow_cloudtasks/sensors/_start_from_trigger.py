"""Whether a wait can begin in the triggerer, without a worker: decided when the DAG is parsed.

The triggerer renders templates by a context and an environment of its own, which are less than a worker's. What it
lacks it does not refuse: it hangs, for all triggers, or renders nonsense. So only what is known to be alike goes there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
from airflow.providers.common.compat.sdk import XComArg
from jinja2 import nodes
from jinja2.meta import find_undeclared_variables

from airflow_cloudtasks.version_compat import AIRFLOW_RELEASE, AIRFLOW_VERSION, START_FROM_TRIGGER_SINCE

_ENVIRONMENT = jinja2.Environment(autoescape=True)  # It only parses.

# A worker has more: some ask what the triggerer's supervisor does not answer, such as prev_start_date_success, and
# others the DAG defines itself.
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
    """Refuse an Airflow that cannot begin a wait in the triggerer.

    Raises:
        ValueError: This is one; the text says which can, and what to do instead.
    """
    if AIRFLOW_VERSION < START_FROM_TRIGGER_SINCE:
        needed = ".".join(map(str, START_FROM_TRIGGER_SINCE))
        raise ValueError(
            f"start_from_trigger needs Airflow {needed} or newer, and this is {AIRFLOW_RELEASE}; "
            "use deferrable=True, which takes a worker for a moment at the start."
        )


def why_not(values: Any, *, plainly: bool = True) -> str | None:
    """Tell why the triggerer could not render the values of template fields as a worker does.

    Args:
        values: A value of a template field, or a list or a mapping of them.
        plainly: Whether a worker renders to strings, and refuses what is undefined, as DAGs do by default.

    Returns:
        What stands in the way, in the middle of a sentence; None if nothing does.
    """
    return next(_obstacles(values, plainly), None)


def _obstacles(values: Any, plainly: bool) -> Iterator[str]:
    match values:
        case None | bool() | int() | float():
            return
        case str():
            yield from _obstacles_in_template(values, plainly)
        case list() | tuple():
            for value in values:
                yield from _obstacles(value, plainly)
        case Mapping():
            yield from _obstacles(list(values.values()), plainly)
        case XComArg():
            # Airflow 3.3 hands it to the trigger as a description of itself.
            yield "an XComArg (the output of another task) is resolved on a worker only"
        case _:
            yield f"a {type(values).__name__} is resolved on a worker only"


def _obstacles_in_template(template: str, plainly: bool) -> Iterator[str]:
    try:
        parsed = _ENVIRONMENT.parse(template)
        names = find_undeclared_variables(parsed)
    except jinja2.TemplateSyntaxError as error:  # or a filter that the triggerer does not have
        yield f"the triggerer cannot read the template {template!r}: {error.message}"
        return
    if not plainly and ("{{" in template or "{%" in template):
        yield "how the DAG has its templates rendered is heeded on a worker only"
    if any(parsed.find_all(_OTHER_FILES)):
        yield "the triggerer has no other templates for a template to take in"
    for name in sorted(names - _NAMES):
        yield f"the triggerer does not know {name!r}, which stands in a template"
    yield from _obstacles_in_uses_of_ti(parsed)


def _obstacles_in_uses_of_ti(template: nodes.Template) -> Iterator[str]:
    attributes = {attribute.node: attribute for attribute in template.find_all(nodes.Getattr)}
    of_one_index = {
        call.node
        for call in template.find_all(nodes.Call)
        if any(argument.key == "map_indexes" for argument in call.kwargs)
    }
    for name in template.find_all(nodes.Name):
        if name.name not in _TI:
            continue
        attribute = attributes.get(name)
        if attribute is None or attribute.attr not in _TI_ATTRIBUTES:
            yield f"the triggerer does not know what a template wants of {name.name!r}"
        elif attribute.attr == "xcom_pull" and attribute not in of_one_index:
            # Airflow 3.3 asks for the map indexes of the other task in a way that never ends there.
            yield (
                "xcom_pull without map_indexes never ends in the triggerer; write map_indexes=-1 for a task that is "
                "not mapped"
            )
