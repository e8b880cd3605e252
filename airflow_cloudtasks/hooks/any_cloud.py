"""Find the hook of an API's cloud."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from airflow_cloudtasks.model import Cloud

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.spec import TaskApi

# By name, and imported at the first call: parsing a DAG imports this module, and a hook imports the vendors' SDKs.
_HOOKS: dict[Cloud, tuple[str, str]] = {
    "alibaba": ("airflow_cloudtasks.hooks.alibaba", "AlibabaCloudHook"),
    "tencent": ("airflow_cloudtasks.hooks.tencent", "TencentCloudHook"),
}


def hook_for(api: TaskApi, conn_id: str | None = None, region: str | None = None) -> CloudTasksHook:
    """Return a hook that can read an API's tasks.

    Args:
        api: The API.
        conn_id: The Airflow connection; None for the default one of the cloud.
        region: The region; None for the connection's own.
    """
    module, name = _HOOKS[api.cloud]
    hook: CloudTasksHook = getattr(import_module(module), name)(conn_id, region)
    return hook
