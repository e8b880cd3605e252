"""Operator for Alibaba Cloud's Realtime Compute for Apache Flink, with one argument for each parameter."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator


class VervericaRunJobOperator(StartCloudTaskOperator):
    """Start a job of a Flink deployment (StartJobWithParams), and wait until it has ended.

    A kill of the Airflow task stops the job (StopJob), without a savepoint. A job that reads a stream has no end of its
    own: with ``success_statuses=["RUNNING"]``, the operator waits until such a job runs.

    Args:
        workspace: The vendor's ``workspace`` (templated).
        namespace: The vendor's ``namespace`` (templated).
        deployment_id: The vendor's ``deploymentId`` (templated).
        local_variables: The vendor's ``localVariables``, a list of dicts with ``name`` and ``value`` (templated).
        resource_queue_name: The vendor's ``resourceQueueName`` (templated).
        restore_strategy: The vendor's ``restoreStrategy``, a dict, e.g. ``{"kind": "LATEST_STATE"}`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        workspace: Any,
        namespace: Any,
        deployment_id: Any,
        local_variables: Any = None,
        resource_queue_name: Any = None,
        restore_strategy: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="ververica.job",
            parameters={
                "workspace": workspace,
                "namespace": namespace,
                "deploymentId": deployment_id,
                "localVariables": local_variables,
                "resourceQueueName": resource_queue_name,
                "restoreStrategy": restore_strategy,
            },
            **kwargs,
        )
