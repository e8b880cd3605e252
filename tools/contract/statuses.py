"""Compare the statuses that the vendor documents with those that an API decides."""

from __future__ import annotations

from airflow_cloudtasks.spec import Percentages, TaskApi
from airflow_cloudtasks.values import fold
from contract.definitions import defined_actions, status_document, status_words, types_at
from contract.findings import Findings


def compare_statuses(api: TaskApi, found: Findings) -> None:
    """Compare every documented status with the API's states.

    Args:
        api: The API.
        found: Takes the comparisons.
    """
    if isinstance(api.status, Percentages):
        return
    answer = defined_actions(api.service).get(api.read.name, {}).get("answer", {})
    kind = "integer" if "integer" in types_at(answer, f"{api.task}.{api.status}".strip(".")) else "string"
    for status in status_words(status_document(api.service, api.name), kind):
        problem = None if fold(status) in api.folded_states else "is documented, and no state is decided for it"
        found.compare("statuses", f"{api.read.name} {status}", problem)
