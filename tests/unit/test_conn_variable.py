"""A connection in the environment that Airflow cannot read is explained without repeating any value."""

from __future__ import annotations

import pytest

from airflow_cloudtasks.airflow_facts.conn_variable import unreadable_because, variable_name

SECRET = "SeCrEt"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (f"cloudtasks-alibaba://id:{SECRET}/x@/?region=r", "a character of its key id or secret ends the address; "),
        (f"cloudtasks-alibaba://id:{SECRET}?x@/?region=r", "a character of its key id or secret ends the address; "),
        (f"cloudtasks-alibaba://id:{SECRET}#x@/?region=r", "a character of its key id or secret ends the address; "),
        (f"cloudtasks-alibaba://id:{SECRET}[x@/?region=r", "a character of its key id or secret ends the address; "),
        (f"cloudtasks-alibaba://id:{SECRET}/x@/?region=r", "/ as %2F, + as %2B, = as %3D"),
        (f"x://y://z://id:{SECRET}@", "it is not a URI that Airflow reads; write TYPE://LOGIN:PASSWORD@/?FIELD=VALUE"),
        (f'{{"password": "{SECRET}"', "it is not valid JSON at line 1, column 22"),
        (f'{{"password": "{SECRET}", "region": "r"}}', "its JSON has 'region', which no connection has; fields of"),
        (
            f'{{"password": "{SECRET}", "uri": "x://"}}',
            "its JSON has 'uri' beside other fields; write one or the other",
        ),
        ('{"password": 12345678}', "its password is not a text; write it in quotes"),
        (f'{{"password": "{SECRET}", "port": "{SECRET}"}}', "its port is not a whole number"),
        ("{" * 3000, "it is not valid JSON"),
    ],
)
def test_says_what_is_wrong_without_a_value(value: str, why: str) -> None:
    text = unreadable_because(f" {value}\n")
    assert why in text
    assert SECRET not in text
    assert "12345678" not in text


def test_the_variable_has_the_id_in_capitals() -> None:
    assert variable_name("alibaba_default") == "AIRFLOW_CONN_ALIBABA_DEFAULT"
