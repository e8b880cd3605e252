"""Codes of busy services and of limits of a frequency are retried; codes of quotas are final."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_cloudtasks import errors
from airflow_cloudtasks.clouds.error_codes import alibaba_kind, kind_of_status, tencent_kind
from airflow_cloudtasks.errors import BadRequest, CloudApiError, PermissionDenied, Throttled, TransientError

# Codes of the vendor's package tencentcloud-sdk-python 3.1.195, with up to three products that list them: every code
# that a pattern of busy services or of frequencies decides, and codes of quotas, parameters and rules that sound alike.
with (Path(__file__).parent / "vendor_error_codes.tsv").open(encoding="utf-8") as table:
    TENCENT = {row["code"]: row["decided as"] for row in csv.DictReader(table, delimiter="\t")}


@pytest.mark.parametrize(("code", "decided"), TENCENT.items())
def test_decides_tencents_codes_as_the_table_says(code: str, decided: str) -> None:
    assert tencent_kind(code) is getattr(errors, decided)


# Sources: help.aliyun.com, error codes of DataWorks (Throttling.*), ApsaraVideo VOD (ServiceUnAvailable), IVPD
# (RequestErrorNeedRetry, InternalServerError), ECS (LastTokenProcessing); Alibaba Cloud's Terraform provider, which
# retries the others.
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("Throttling", Throttled),
        ("Throttling.User", Throttled),
        ("Throttling.System", Throttled),
        ("Throttling.Api.Risk", Throttled),
        ("Throttling.Resource", Throttled),
        ("ServiceBusy", TransientError),
        ("SystemBusy", TransientError),
        ("System.Busy", TransientError),
        ("OperationBusy", TransientError),
        ("ServiceUnavailable", TransientError),
        ("ServiceUnAvailable", TransientError),
        ("InternalError.System", TransientError),
        ("InternalServerError", TransientError),
        ("RequestErrorNeedRetry", TransientError),
        ("LastTokenProcessing", TransientError),
        ("OperationFailed.LastTokenProcessing", TransientError),
        ("QuotaExceeded", BadRequest),
        ("QuotaExceeded.Vpc", BadRequest),
        ("LimitExceededError", BadRequest),
    ],
)
def test_decides_alibabas_codes(code: str, kind: type[CloudApiError]) -> None:
    assert alibaba_kind(code, 400) is kind


@pytest.mark.parametrize("code", ["InvalidParameter.ServiceIsBusy", "ResourceBusy", "ServiceBusy", "SystemBusy"])
@pytest.mark.parametrize("kind_of", [tencent_kind, alibaba_kind], ids=["tencent", "alibaba"])
def test_a_busy_service_is_retried_and_has_not_accepted_the_request(
    kind_of: Callable[[str, int], type[CloudApiError]], code: str
) -> None:
    error = kind_of(code, 200)("busy", code=code)
    assert error.retryable
    assert not error.may_have_acted


@pytest.mark.parametrize("code", ["LastTokenProcessing", "FailedOperation.RequestTimeout", "InternalError"])
def test_after_other_passing_failures_the_request_may_have_been_carried_out(code: str) -> None:
    assert TransientError("later", code=code).may_have_acted


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, None), (400, None), (404, None), (408, TransientError), (429, Throttled), (500, TransientError)],
)
def test_the_http_status_alone_tells_what_passes(status: int, kind: type[CloudApiError] | None) -> None:
    assert kind_of_status(status) is kind


def test_the_http_status_decides_on_unknown_codes() -> None:
    assert alibaba_kind("SomethingNew", 429) is Throttled
    assert alibaba_kind("SomethingNew", 403) is PermissionDenied
    assert tencent_kind("SomethingNew", 503) is TransientError
    assert tencent_kind("SomethingNew") is BadRequest
