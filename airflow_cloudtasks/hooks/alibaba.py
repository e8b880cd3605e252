"""Hooks for Alibaba Cloud."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.catalog import BDRC_TASK, BPSTUDIO_TASK, ICE_WORKFLOW_TASK
from airflow_cloudtasks.hooks.base import CloudTasksHook
from airflow_cloudtasks.hooks.connection import ALIBABA_FIELDS
from airflow_cloudtasks.hooks.form import field_behaviour, form_widgets
from airflow_cloudtasks.model import CloudTask


class AlibabaCloudHook(CloudTasksHook):
    """Read tasks of Alibaba Cloud.

    Args:
        conn_id: Id of the Airflow connection. Its type is ``cloudtasks_alibaba``, or one of the official provider's
            types, e.g. ``alibaba_cloud``.
        region: Region id, e.g. ``cn-shanghai``; overrides the connection's region.
    """

    connection_fields = ALIBABA_FIELDS
    conn_type = "cloudtasks_alibaba"
    hook_name = "Alibaba Cloud tasks"
    default_conn_name = "alibaba_default"

    # Airflow 2 looks up these two classmethods in the hook class itself, not in its bases.
    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's own fields for Airflow before 3.2."""
        return form_widgets(cls.conn_type)

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return labels and placeholders for Airflow before 3.2."""
        return field_behaviour(cls.conn_type)


class BpStudioHook(AlibabaCloudHook):
    """Read BPStudio tasks.

    Args:
        conn_id: Id of the Airflow connection.
        region: Not needed, because BPStudio has one host for all regions.
    """

    def get_task(self, task_id: str) -> CloudTask:
        """Return a task, read with GetTask (version 2021-09-31).

        Args:
            task_id: The vendor's ``TaskId``.

        Raises:
            CloudApiError: The cloud returned no usable answer; the subclass says why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        return self.read_task(BPSTUDIO_TASK, task_id)

    async def aget_task(self, task_id: str) -> CloudTask:
        """Return a task, like :meth:`get_task`, without blocking the event loop."""
        return await self.aread_task(BPSTUDIO_TASK, task_id)


class BdrcHook(AlibabaCloudHook):
    """Read tasks of the Backup and Disaster Recovery Center (BDRC).

    Args:
        conn_id: Id of the Airflow connection.
        region: Region id. BDRC needs one, here or in the connection.
    """

    def get_task(self, task_id: str) -> CloudTask:
        """Return a task, read with DescribeTask (version 2023-08-08).

        Args:
            task_id: The vendor's ``TaskId``, e.g. ``t-0004d9ctt1ii``.

        Raises:
            CloudApiError: The cloud returned no usable answer; the subclass says why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        return self.read_task(BDRC_TASK, task_id)

    async def aget_task(self, task_id: str) -> CloudTask:
        """Return a task, like :meth:`get_task`, without blocking the event loop."""
        return await self.aread_task(BDRC_TASK, task_id)


class IceHook(AlibabaCloudHook):
    """Read workflow tasks of Intelligent Media Services (ICE).

    Args:
        conn_id: Id of the Airflow connection.
        region: Region id. ICE needs one, here or in the connection.
    """

    def get_task(self, task_id: str) -> CloudTask:
        """Return a workflow task, read with GetWorkflowTask (version 2020-11-09).

        The vendor keeps workflow tasks for a year.

        Args:
            task_id: The vendor's ``TaskId``.

        Raises:
            CloudApiError: The cloud returned no usable answer; the subclass says why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        return self.read_task(ICE_WORKFLOW_TASK, task_id)

    async def aget_task(self, task_id: str) -> CloudTask:
        """Return a workflow task, like :meth:`get_task`, without blocking the event loop."""
        return await self.aread_task(ICE_WORKFLOW_TASK, task_id)
