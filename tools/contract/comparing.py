"""Compare an API of the catalog with the vendor's definition of it."""

from __future__ import annotations

from airflow_cloudtasks.spec import TaskApi
from contract.answers import compare_answers
from contract.examples import compare_examples
from contract.findings import Findings
from contract.hosts import compare_hosts
from contract.requests import compare_requests
from contract.statuses import compare_statuses


def compare(api: TaskApi) -> Findings:
    """Return everything that was compared of an API, and what deviates.

    Args:
        api: The API.

    Raises:
        FileNotFoundError: The service has no definitions; ``python -m tools.definitions`` writes them.
    """
    found = Findings(api)
    for comparison in (compare_requests, compare_answers, compare_statuses, compare_examples, compare_hosts):
        comparison(api, found)
    return found
