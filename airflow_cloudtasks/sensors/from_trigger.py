"""Whether a wait can begin in the triggerer, without a worker: decided when the DAG is parsed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import XComArg
from jinja2 import Environment, TemplateSyntaxError, nodes

# Before it, the scheduler starts no task in the triggerer, or the triggerer renders no template.
_SINCE = (3, 3)

_templates = Environment(autoescape=True)  # It only parses.


def check_airflow_can() -> None:
    """Refuse an Airflow that cannot begin a wait in the triggerer.

    Raises:
        ValueError: This is one; the text says which can, and what to do instead.
    """
    if tuple(map(int, airflow_version.split(".")[:2])) < _SINCE:
        raise ValueError(
            f"start_from_trigger needs Airflow {'.'.join(map(str, _SINCE))} or newer, and this is {airflow_version}; "
            "use deferrable=True, which takes a worker for a moment at the start."
        )


def why_not(values: Any) -> str | None:
    """Tell why the triggerer could not render the values of template fields.

    Args:
        values: A value of a template field, or a list or a mapping of them.

    Returns:
        What stands in the way, in the middle of a sentence; None if nothing does.
    """
    if isinstance(values, XComArg):
        # Airflow 3.3 hands it to the trigger as a description of itself.
        return "an XComArg (the output of another task) is resolved on a worker only"
    if isinstance(values, str):
        # Airflow 3.3 asks for the map indexes of the other task in a way that never ends there.
        return (
            "xcom_pull without map_indexes never ends in the triggerer; write map_indexes=-1 for a task that is not "
            "mapped"
            if any(_pulls_of_any_index(values))
            else None
        )
    if isinstance(values, Mapping):
        values = values.values()
    if isinstance(values, Iterable):
        return next(filter(None, map(why_not, values)), None)
    return None


def _pulls_of_any_index(template: str) -> Iterable[bool]:
    if "xcom_pull" not in template:
        return
    try:
        parsed = _templates.parse(template)
    except TemplateSyntaxError:  # rendering tells it better
        return
    for call in parsed.find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr) and call.node.attr == "xcom_pull":
            yield all(keyword.key != "map_indexes" for keyword in call.kwargs)
