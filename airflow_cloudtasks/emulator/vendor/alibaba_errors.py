"""Refusals that Alibaba Cloud's gateway and its products share."""

from __future__ import annotations

from airflow_cloudtasks.emulator.vendor.contract import NotFound
from airflow_cloudtasks.emulator.vendor.wire import VendorError


def missing(name: str) -> VendorError:
    """Return the refusal of a request without a parameter."""
    return VendorError(f"Missing{name}", f"{name} is mandatory for this action.")


def invalid(name: str) -> VendorError:
    """Return the refusal of a parameter's value."""
    return VendorError("InvalidParameter", f"The specified parameter {name} is not valid.")


# Alibaba Cloud's convention for an id that names nothing: Invalid<Parameter>.NotFound with HTTP 404. Neither ICE's nor
# BDRC's document lists a code of its own.
TASK_ID_NOT_FOUND = NotFound("InvalidTaskId.NotFound", "The specified TaskId does not exist.", 404)
