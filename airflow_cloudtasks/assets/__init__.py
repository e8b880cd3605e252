"""Event triggers: a DAG starts when a cloud task has ended, with no sensor and no worker before it."""

from airflow_cloudtasks.assets.cloud_task_ended import CloudTaskEndedTrigger

__all__ = ["CloudTaskEndedTrigger"]
