"""Hooks for Tencent Cloud."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.catalog import LKE_TASK, WEDATA_TASK
from airflow_cloudtasks.hooks.base import CloudTasksHook
from airflow_cloudtasks.hooks.connection import TENCENT
from airflow_cloudtasks.hooks.form import field_behaviour, form_widgets
from airflow_cloudtasks.model import CloudTask


class TencentCloudHook(CloudTasksHook):
    """Reads tasks of Tencent Cloud.

    Args:
        conn_id: The Airflow connection, of type ``cloudtasks_tencent``.
        region: The region's id, e.g. ``ap-guangzhou``, against the connection's own.
    """

    connection_fields = TENCENT
    conn_type = "cloudtasks_tencent"
    hook_name = "Tencent Cloud tasks"
    default_conn_name = "tencent_default"

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Give the form's own fields to Airflow before 3.2."""
        return form_widgets("cloudtasks_tencent")

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Give labels and placeholders to Airflow before 3.2."""
        return field_behaviour("cloudtasks_tencent")


class WeDataHook(TencentCloudHook):
    """Reads WeData tasks.

    Args:
        conn_id: The Airflow connection.
        region: The region's id; here or in the connection, WeData needs one.
    """

    def get_task(self, task_id: str, project_id: str) -> CloudTask:
        """Read a task with GetTask (version 2025-08-06): its publication, not a run of it.

        Args:
            task_id: The vendor's ``TaskId``.
            project_id: The vendor's ``ProjectId``.

        Raises:
            CloudApiError: The cloud gave no usable answer; its subclasses tell why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        return self.read_task(WEDATA_TASK, task_id, {"ProjectId": project_id})

    async def aget_task(self, task_id: str, project_id: str) -> CloudTask:
        """Read a task, as :meth:`get_task`, without blocking the event loop."""
        return await self.aread_task(WEDATA_TASK, task_id, {"ProjectId": project_id})


class LkeHook(TencentCloudHook):
    """Reads tasks of the Large Model Knowledge Engine.

    Args:
        conn_id: The Airflow connection; an account of the international site needs ``site`` = ``intl`` in it.
        region: The region's id; here or in the connection, LKE needs one (international site: ``ap-jakarta``).
    """

    def get_task(self, task_id: str, task_type: str, bot_biz_id: str) -> CloudTask:
        """Read a task with GetTaskStatus (version 2023-11-30).

        Args:
            task_id: The vendor's ``TaskId``.
            task_type: The vendor's ``TaskType``: ``ModifyAttributeLabel`` or ``ExportAttributeLabel``.
            bot_biz_id: The vendor's ``BotBizId``, the application's id.

        Raises:
            CloudApiError: The cloud gave no usable answer; its subclasses tell why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        return self.read_task(LKE_TASK, task_id, {"TaskType": task_type, "BotBizId": bot_biz_id})

    async def aget_task(self, task_id: str, task_type: str, bot_biz_id: str) -> CloudTask:
        """Read a task, as :meth:`get_task`, without blocking the event loop."""
        return await self.aread_task(LKE_TASK, task_id, {"TaskType": task_type, "BotBizId": bot_biz_id})
