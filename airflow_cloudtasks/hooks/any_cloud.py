"""Chooses the hook for an API's cloud."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from airflow_cloudtasks.model import Cloud

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.spec import TaskApi

# Parsing a DAG file imports this module, and a hook imports the vendors' SDKs. So import a hook at its first use.
_HOOKS: dict[Cloud, tuple[str, str]] = {
    "alibaba": ("airflow_cloudtasks.hooks.alibaba", "AlibabaCloudHook"),
    "tencent": ("airflow_cloudtasks.hooks.tencent", "TencentCloudHook"),
}


def hook_for(api: TaskApi, conn_id: str | None = None, region: str | None = None) -> CloudTasksHook:
    """Return a hook that can call an API.

    Args:
        api: The API.
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; None for the connection's region.
    """
    module, name = _HOOKS[api.cloud]
    hook: CloudTasksHook = getattr(import_module(module), name)(conn_id, region)
    return hook
