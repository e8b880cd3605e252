"""Operator for Alibaba Cloud CloudFlow, with one argument for each parameter of the action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.values import at

if TYPE_CHECKING:
    from airflow_cloudtasks.model import CloudTask


class FnfRunExecutionOperator(StartCloudTaskOperator):
    """Run a flow of CloudFlow, formerly FnF (StartExecution), and wait for the execution.

    A kill of the Airflow task stops the execution (StopExecution). The result has the task's parts and
    ``execution_output``, the flow's output, for the next task as ``run.output["execution_output"]``.

    Args:
        flow_name: The vendor's ``FlowName`` (templated).
        execution_name: The vendor's ``ExecutionName``, unique within the flow; None for a name that the vendor chooses
            (templated).
        flow_input: The vendor's ``Input``, a dict or JSON (templated).
        qualifier: The vendor's ``Qualifier``, the flow's version or alias (templated).
        callback_fnf_task_token: The vendor's ``CallbackFnFTaskToken``: the token of the task that the vendor calls back
            at the end (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        flow_name: Any,
        execution_name: Any = None,
        flow_input: Any = None,
        qualifier: Any = None,
        callback_fnf_task_token: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="fnf.execution",
            parameters={
                "FlowName": flow_name,
                "ExecutionName": execution_name,
                "Input": flow_input,
                "Qualifier": qualifier,
                "CallbackFnFTaskToken": callback_fnf_task_token,
            },
            **kwargs,
        )

    def outputs(self, task: CloudTask) -> dict[str, Any]:
        """Return the flow's output."""
        return {"execution_output": at(task.detail, "Output")}
