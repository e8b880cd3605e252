"""The report says which connection was found, and what is in its place if it was not."""

from __future__ import annotations

import pytest

from airflow_cloudtasks.airflow_facts import IsNot, Unknown
from airflow_cloudtasks.airflow_facts.fact import Fact
from airflow_cloudtasks.doctor.connection import understand
from airflow_cloudtasks.doctor.report import Outcome

UNREADABLE = "The environment variable AIRFLOW_CONN_X holds no Airflow connection: it is not valid JSON."


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (IsNot(), "there is no Airflow connection 'x'"),
        (IsNot(UNREADABLE), UNREADABLE.removesuffix(".")),
        (Unknown("OperationalError"), "a look-up failed (OperationalError)"),
    ],
)
def test_says_why_a_connection_was_not_found(found: Fact[object], text: str) -> None:
    (line,) = understand("x", found, "tencent").lines
    assert line.outcome is Outcome.FAILED
    assert text in line.text
