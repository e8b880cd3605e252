"""Hooks for Alibaba Cloud."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.catalog import BDRC_TASK, BPSTUDIO_TASK, ICE_WORKFLOW_TASK
from airflow_cloudtasks.hooks.base import CloudTasksHook
from airflow_cloudtasks.hooks.connection import ALIBABA
from airflow_cloudtasks.hooks.form import field_behaviour, form_widgets
from airflow_cloudtasks.model import CloudTask


class AlibabaCloudHook(CloudTasksHook):
    """Reads tasks of Alibaba Cloud.

    Args:
        conn_id: The Airflow connection, of type ``cloudtasks_alibaba`` or of the official provider's ``alibaba_cloud``.
        region: The region's id, e.g. ``cn-shanghai``, against the connection's own.
    """

    connection_fields = ALIBABA
    conn_type = "cloudtasks_alibaba"
    hook_name = "Alibaba Cloud tasks"
    default_conn_name = "alibaba_default"

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Give the form's own fields to Airflow before 3.2."""
        return form_widgets("cloudtasks_alibaba")

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Give labels and placeholders to Airflow before 3.2."""
        return field_behaviour("cloudtasks_alibaba")


class BpStudioHook(AlibabaCloudHook):
    """Reads BPStudio tasks.

    Args:
        conn_id: The Airflow connection.
        region: Not needed: BPStudio has one host for all regions.
    """

    def get_task(self, task_id: str) -> CloudTask:
        """Read a task with GetTask (version 2021-09-31).

        Args:
            task_id: The vendor's ``TaskId``.

        Raises:
            CloudApiError: The cloud gave no usable answer; its subclasses tell why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        return self.read_task(BPSTUDIO_TASK, task_id)

    async def aget_task(self, task_id: str) -> CloudTask:
        """Read a task, as :meth:`get_task`, without blocking the event loop."""
        return await self.aread_task(BPSTUDIO_TASK, task_id)


class BdrcHook(AlibabaCloudHook):
    """Reads tasks of the Backup and Disaster Recovery Center.

    Args:
        conn_id: The Airflow connection.
        region: The region's id; here or in the connection, BDRC needs one.
    """

    def get_task(self, task_id: str) -> CloudTask:
        """Read a task with DescribeTask (version 2023-08-08).

        Args:
            task_id: The vendor's ``TaskId``, e.g. ``t-0004d9ctt1ii``.

        Raises:
            CloudApiError: The cloud gave no usable answer; its subclasses tell why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        return self.read_task(BDRC_TASK, task_id)

    async def aget_task(self, task_id: str) -> CloudTask:
        """Read a task, as :meth:`get_task`, without blocking the event loop."""
        return await self.aread_task(BDRC_TASK, task_id)


class IceHook(AlibabaCloudHook):
    """Reads workflow tasks of Intelligent Media Services.

    Args:
        conn_id: The Airflow connection.
        region: The region's id; here or in the connection, ICE needs one.
    """

    def get_task(self, task_id: str) -> CloudTask:
        """Read a workflow task with GetWorkflowTask (version 2020-11-09); the vendor keeps them for a year.

        Args:
            task_id: The vendor's ``TaskId``.

        Raises:
            CloudApiError: The cloud gave no usable answer; its subclasses tell why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        return self.read_task(ICE_WORKFLOW_TASK, task_id)

    async def aget_task(self, task_id: str) -> CloudTask:
        """Read a workflow task, as :meth:`get_task`, without blocking the event loop."""
        return await self.aread_task(ICE_WORKFLOW_TASK, task_id)
