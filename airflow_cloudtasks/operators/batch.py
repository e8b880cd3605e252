"""Operator for Tencent Cloud Batch (BatchCompute), with one argument for each parameter of the action."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator


class BatchRunJobOperator(StartCloudTaskOperator):
    """Run a job of Batch (SubmitJob), and wait for it.

    A kill of the Airflow task terminates the job (TerminateJob). If the job fails, the error names the tasks that
    failed.

    Args:
        placement: The vendor's ``Placement``, a dict, e.g. ``{"Zone": "ap-guangzhou-2"}`` (templated).
        job: The vendor's ``Job``, a dict with ``Tasks`` and what they depend on (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        placement: Any,
        job: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="batch.job",
            parameters={
                "Placement": placement,
                "Job": job,
            },
            **kwargs,
        )
