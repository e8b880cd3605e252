"""The APIs that this package knows, one file a product. Data, no control flow.

A new API is a :class:`~airflow_cloudtasks.spec.TaskApi` in its product's file and nothing else; a new product's file
is named here.
"""

from __future__ import annotations

from airflow_cloudtasks.catalog import bdrc, bpstudio, ice, lke, wedata
from airflow_cloudtasks.catalog.bdrc import BDRC_TASK
from airflow_cloudtasks.catalog.bpstudio import BPSTUDIO_TASK
from airflow_cloudtasks.catalog.ice import ICE_WORKFLOW_TASK
from airflow_cloudtasks.catalog.lke import LKE_TASK
from airflow_cloudtasks.catalog.wedata import WEDATA_TASK
from airflow_cloudtasks.spec import TaskApi

__all__ = ["APIS", "BDRC_TASK", "BPSTUDIO_TASK", "ICE_WORKFLOW_TASK", "LKE_TASK", "WEDATA_TASK", "find_api"]

_PRODUCTS = (bpstudio, bdrc, ice, wedata, lke)

APIS: dict[str, TaskApi] = {
    value.name: value for product in _PRODUCTS for value in vars(product).values() if isinstance(value, TaskApi)
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
