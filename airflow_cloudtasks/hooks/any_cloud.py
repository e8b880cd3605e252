"""Finds the hook of an API's cloud."""

from __future__ import annotations

from airflow_cloudtasks.hooks.alibaba import AlibabaCloudHook
from airflow_cloudtasks.hooks.base import CloudTasksHook
from airflow_cloudtasks.hooks.tencent import TencentCloudHook
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.spec import TaskApi

_HOOKS: dict[Cloud, type[CloudTasksHook]] = {"alibaba": AlibabaCloudHook, "tencent": TencentCloudHook}


def hook_for(api: TaskApi, conn_id: str | None = None, region: str | None = None) -> CloudTasksHook:
    """Make the hook that can read an API's tasks.

    Args:
        api: The API.
        conn_id: The Airflow connection; the cloud's default one if not given.
        region: The region, against the connection's own.
    """
    return _HOOKS[api.cloud](conn_id, region)
