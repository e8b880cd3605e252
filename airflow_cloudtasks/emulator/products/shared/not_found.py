"""How products say that there is no such task, where several say it alike."""

from __future__ import annotations

from airflow_cloudtasks.emulator.vendor.contract import NotFound

# Alibaba's convention for an id that names nothing is Invalid<Parameter>.NotFound with HTTP 404; neither ICE's nor
# BDRC's document lists a code of its own.
TASK_ID_NOT_FOUND = NotFound("InvalidTaskId.NotFound", "The specified TaskId does not exist.", 404)
