"""The parts of a result, each as an XCom of its own, for ``task.output["detail"]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.version_compat import STORES_NONE

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, Context


def parts_of(result: Any) -> dict[str, Any]:
    """Return the parts of a result by the key of their XCom.

    Args:
        result: The result of a sensor or an operator. A list of tasks has no parts.
    """
    if not isinstance(result, Mapping):
        return {}
    return {name: value for name, value in result.items() if value is not None or STORES_NONE}


def push_parts(operator: BaseOperator, context: Context, result: Any) -> None:
    """Store the parts of a result if the operator has ``multiple_outputs`` and stores XComs at all.

    Airflow resolves a part that is None, or that is not stored, to None only if the operator in the DAG has
    ``multiple_outputs``. But Airflow itself cannot store the parts: it raises TypeError for a list, and Airflow 3.0
    fails on None. So this function stores them, and then turns the attribute off in ``operator``, which is the copy of
    the DAG's operator that Airflow makes for one run.

    Args:
        operator: The operator that runs.
        context: Airflow's context.
        result: The operator's result.
    """
    task_instance = context.get("ti")
    if operator.multiple_outputs and operator.do_xcom_push and task_instance is not None:
        for name, value in parts_of(result).items():
            task_instance.xcom_push(key=name, value=value)
    operator.multiple_outputs = False
