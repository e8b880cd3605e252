"""The extra link that opens a task in the vendor's console."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

from airflow_cloudtasks.errors import CloudTasksError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_cloudtasks.hooks.calling import CallingHook
    from airflow_cloudtasks.model import CloudTask
    from airflow_cloudtasks.spec import TaskApi

_log = logging.getLogger(__name__)

_KEY = "cloud_console_url"


class CloudConsoleLink(BaseOperatorLink):
    """Opens the task in the vendor's console; the product's own page where the vendor has no address of a task."""

    name = "Cloud console"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Give the address.

        Args:
            operator: Airflow's.
            ti_key: Which of Airflow's tasks.

        Returns:
            The address; nothing as long as the task has not been seen.
        """
        return str(XCom.get_value(ti_key=ti_key, key=_KEY) or "")


def keep_link(context: Context, hook: CallingHook, api: TaskApi, seen: Iterable[CloudTask]) -> None:
    """Keep the address that the link opens; Airflow's pages know nothing but what is in its database.

    Args:
        context: Airflow's context.
        hook: What has called the cloud.
        api: The API of the task.
        seen: The task as it was seen; the first of several that has an address counts.
    """
    address = next((task.console_url for task in seen if task.console_url), None)
    if address is None:
        # Whatever is the matter with the connection, the task itself says it better than its link.
        with suppress(CloudTasksError):
            address = hook.console(api.service)
    if address and (task_instance := context.get("ti")) is not None:
        try:
            task_instance.xcom_push(key=_KEY, value=address)
        except Exception as error:  # Airflow's API server, or somebody's XCom backend: no reason for a task to fail
            _log.warning("The link to the console could not be kept (%s).", type(error).__name__)
