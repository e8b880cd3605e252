"""What the public modules export that need no Airflow. A name that is missing here is no promise to users."""

from __future__ import annotations

from types import ModuleType

import pytest

from airflow_cloudtasks import catalog, emulator, errors, model, spec

from .exports import exported

EXPORTS: dict[ModuleType, set[str]] = {
    spec: {
        *(
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
        ),
        "TaskList",
    },
    errors: {
        # The root, and what is wrong with what the user gave.
        *("CloudTasksError", "Invalid", "InvalidArguments", "InvalidConnection"),
        # How a start or a wait ends.
        *("CloudTaskFailed", "StartUnknown", "WaitTimedOut"),
        # What a call of a cloud's API ends with.
        *("BadRequest", "CloudApiError", "CredentialsError", "CredentialsExpired", "MalformedAnswer", "NotFound"),
        *("PermissionDenied", "Throttled", "TransientError", "UnreadableAnswer"),
        # Their texts and their stored form.
        *("ending", "error_from_dict"),
    },
    model: {"CloudTask", "TaskState"},
    catalog: {
        *("APIS", "ENTRY_POINTS", "find_api", "stored_api"),
        *("BDRC_TASK", "BPSTUDIO_OPERATION", "BPSTUDIO_TASK", "ICE_AI_WORKFLOW_TASK", "ICE_WORKFLOW_TASK", "LKE_TASK"),
        *("WEDATA_BACKFILL", "WEDATA_NEWEST_WORKFLOW_RUN", "WEDATA_SQL_RUN", "WEDATA_TASK", "WEDATA_TASK_INSTANCE"),
        "WEDATA_WORKFLOW_RUN",
    },
    emulator: {"Emulator"},
}
modules = pytest.mark.parametrize("module", EXPORTS, ids=lambda module: module.__name__)


@modules
def test_a_module_exports_the_listed_names(module: ModuleType) -> None:
    assert exported(module) == EXPORTS[module]


@modules
def test_every_listed_name_can_be_imported(module: ModuleType) -> None:
    assert [name for name in EXPORTS[module] if not hasattr(module, name)] == []


@modules
def test_a_module_exports_nothing_private(module: ModuleType) -> None:
    assert [name for name in exported(module) if name.startswith("_")] == []
