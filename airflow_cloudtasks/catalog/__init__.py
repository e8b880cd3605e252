"""The APIs that this package knows, one file a product. Data, no control flow.

A new API is a :class:`~airflow_cloudtasks.spec.TaskApi` in its product's file and a line here.
"""

from __future__ import annotations

from airflow_cloudtasks.catalog.bdrc import BDRC_TASK
from airflow_cloudtasks.catalog.bpstudio import BPSTUDIO_TASK
from airflow_cloudtasks.catalog.ice import ICE_WORKFLOW_TASK
from airflow_cloudtasks.catalog.lke import LKE_TASK
from airflow_cloudtasks.catalog.wedata import WEDATA_TASK
from airflow_cloudtasks.spec import TaskApi

__all__ = ["APIS", "BDRC_TASK", "BPSTUDIO_TASK", "ICE_WORKFLOW_TASK", "LKE_TASK", "WEDATA_TASK", "find_api"]

APIS: dict[str, TaskApi] = {
    api.name: api for api in (BPSTUDIO_TASK, BDRC_TASK, ICE_WORKFLOW_TASK, WEDATA_TASK, LKE_TASK)
}


def find_api(api: str | TaskApi) -> TaskApi:
    """Find an API by its name.

    Args:
        api: A name of the catalog, or a spec of one's own, which is returned as it is.

    Raises:
        ValueError: The catalog has no such name; the text lists those that it has.
    """
    if isinstance(api, TaskApi):
        return api
    if api not in APIS:
        raise ValueError(f"Unknown api {api!r}. Known are: {', '.join(sorted(APIS))}; or pass a TaskApi.")
    return APIS[api]
