"""Everything the package knows about one kind of task: how to read, list, start, explain and cancel it. Pure data.

Adding an API means making one :class:`TaskApi`. Every part is checked when it is made.
"""

from airflow_cloudtasks.spec.action import Action, Service, Success
from airflow_cloudtasks.spec.api import TaskApi
from airflow_cloudtasks.spec.cancel import Cancel
from airflow_cloudtasks.spec.doorbell import Doorbell
from airflow_cloudtasks.spec.failure import Failure
from airflow_cloudtasks.spec.feed import Feed
from airflow_cloudtasks.spec.lists import TaskList
from airflow_cloudtasks.spec.many import ManyIds
from airflow_cloudtasks.spec.parts import Log, Parts
from airflow_cloudtasks.spec.results import Results
from airflow_cloudtasks.spec.sql import Sql
from airflow_cloudtasks.spec.start import Encoding, Find, Start
from airflow_cloudtasks.spec.status import Percentages

__all__ = [
    "Action",
    "Cancel",
    "Doorbell",
    "Encoding",
    "Failure",
    "Feed",
    "Find",
    "Log",
    "ManyIds",
    "Parts",
    "Percentages",
    "Results",
    "Service",
    "Sql",
    "Start",
    "Success",
    "TaskApi",
    "TaskList",
]
