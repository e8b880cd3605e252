"""Which API's tasks an API reads in the emulator."""

from __future__ import annotations

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.spec import TaskApi


def owner_of(api: TaskApi, task_id: str) -> tuple[str, dict[str, str]]:
    """Return the API that an API's tasks belong to, and the fields by which an id names such a task.

    They are the API itself and no fields, except where the API reads the newest entry of another API's list.
    """
    for other in APIS.values():
        lists = [each.action.name for each in (other.list_tasks, other.read_many) if each]
        if other.service == api.service and other.name != api.name and api.read.name in lists:
            return other.name, {api.id_param: task_id}
    return api.name, {}
