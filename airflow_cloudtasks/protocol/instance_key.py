"""Make the id of a WeData task instance. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from airflow_cloudtasks.values import aware


def instance_key(wedata_task_id: Any, data_time: Any, zone: tzinfo) -> str:
    """Return the vendor's ``InstanceKey`` of a task instance.

    Source: WeData 2025-08-06, e.g. ``20250714200130106_2025-10-01 00:00:00``.

    Args:
        wedata_task_id: The vendor's ``TaskId``.
        data_time: The instance's data time as text that WeData shows, as a template, or as a datetime. A datetime
            without a zone is in ``zone``.
        zone: The zone of WeData's times.
    """
    if isinstance(data_time, datetime):
        data_time = aware(data_time, zone).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    return f"{wedata_task_id}_{data_time}"
