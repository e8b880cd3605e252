"""Hooks for Tencent Cloud."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.catalog import LKE_TASK, WEDATA_TASK
from airflow_cloudtasks.hooks.base import CloudTasksHook
from airflow_cloudtasks.hooks.connection import TENCENT_FIELDS
from airflow_cloudtasks.hooks.form import field_behaviour, form_widgets
from airflow_cloudtasks.model import CloudTask


class TencentCloudHook(CloudTasksHook):
    """Read tasks of Tencent Cloud.

    Args:
        conn_id: Id of the Airflow connection, of type ``cloudtasks_tencent``.
        region: Region id, e.g. ``ap-guangzhou``; overrides the connection's region.
    """

    connection_fields = TENCENT_FIELDS
    conn_type = "cloudtasks_tencent"
    hook_name = "Tencent Cloud tasks"
    default_conn_name = "tencent_default"

    # Airflow 2 looks up these two classmethods in the hook class itself, not in its bases.
    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's own fields for Airflow before 3.2."""
        return form_widgets(cls.conn_type)

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return labels and placeholders for Airflow before 3.2."""
        return field_behaviour(cls.conn_type)


class WeDataHook(TencentCloudHook):
    """Read WeData tasks.

    Args:
        conn_id: Id of the Airflow connection.
        region: Region id. WeData needs one, here or in the connection.
    """

    def get_task(self, task_id: str, project_id: str) -> CloudTask:
        """Return a task, read with GetTask (version 2025-08-06).

        Its status says whether the task is published. It says nothing about the task's runs.

        Args:
            task_id: The vendor's ``TaskId``.
            project_id: The vendor's ``ProjectId``.

        Raises:
            CloudApiError: The cloud returned no usable answer; the subclass says why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        return self.read_task(WEDATA_TASK, task_id, {"ProjectId": project_id})

    async def aget_task(self, task_id: str, project_id: str) -> CloudTask:
        """Return a task, like :meth:`get_task`, without blocking the event loop."""
        return await self.aread_task(WEDATA_TASK, task_id, {"ProjectId": project_id})


class LkeHook(TencentCloudHook):
    """Read tasks of the Large Model Knowledge Engine (LKE).

    Args:
        conn_id: Id of the Airflow connection. An account of the international site needs ``site`` = ``intl`` in it.
        region: Region id. LKE needs one, here or in the connection (international site: ``ap-jakarta``).
    """

    def get_task(self, task_id: str, task_type: str, bot_biz_id: str) -> CloudTask:
        """Return a task, read with GetTaskStatus (version 2023-11-30).

        Args:
            task_id: The vendor's ``TaskId``.
            task_type: The vendor's ``TaskType``: ``ModifyAttributeLabel`` or ``ExportAttributeLabel``.
            bot_biz_id: The vendor's ``BotBizId``, the application's id.

        Raises:
            CloudApiError: The cloud returned no usable answer; the subclass says why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        return self.read_task(LKE_TASK, task_id, {"TaskType": task_type, "BotBizId": bot_biz_id})

    async def aget_task(self, task_id: str, task_type: str, bot_biz_id: str) -> CloudTask:
        """Return a task, like :meth:`get_task`, without blocking the event loop."""
        return await self.aread_task(LKE_TASK, task_id, {"TaskType": task_type, "BotBizId": bot_biz_id})
