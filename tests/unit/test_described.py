"""A connection is shown as it is understood: each setting with its source, and no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_cloudtasks.hooks.described import Setting, describe
from airflow_cloudtasks.hooks.fields import ALIBABA_FIELDS as ALIBABA
from airflow_cloudtasks.hooks.fields import TENCENT_FIELDS as TENCENT
from airflow_cloudtasks.hooks.fields import ConnectionFields, ConnectionValues

SECRET = "hidden-secret"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for cloud_fields in (ALIBABA, TENCENT):
        for variable in cloud_fields.variables.values():
            monkeypatch.delenv(variable, raising=False)


def described(cloud_fields: ConnectionFields = ALIBABA, **given: Any) -> dict[str, Setting]:
    values: dict[str, Any] = {
        "conn_id": "c",
        "conn_type": cloud_fields.own_type,
        "login": None,
        "password": None,
        "host": None,
        "port": None,
        "extra": {},
        **given,
    }
    settings = describe(cloud_fields, ConnectionValues(**values))
    by_name = {setting.name: setting for setting in settings}
    assert len(by_name) == len(settings)
    assert SECRET not in repr(settings)
    return by_name


def test_names_the_field_of_each_setting() -> None:
    found = described(login=" my-id ", password=SECRET, extra={"region": "cn-shanghai", "max_tries": 3})
    assert found["access_key_id"] == Setting("access_key_id", "my-id", "Login")
    assert found["access_key_secret"] == Setting("access_key_secret", "***", "Password")
    assert found["region"] == Setting("region", "cn-shanghai", "Extra")
    assert found["max_tries"] == Setting("max_tries", "3", "Extra")
    assert found["read_timeout"] == Setting("read_timeout", "30", "default")
    assert found["network"] == Setting("network", "public", "default")


def test_the_key_may_be_in_extra() -> None:
    found = described(TENCENT, extra={"secret_id": "my-id", "secret_key": SECRET})
    assert found["secret_id"] == Setting("secret_id", "my-id", "Extra")
    assert found["secret_key"] == Setting("secret_key", "***", "Extra")
    assert found["site"] == Setting("site", "cn", "default")


@pytest.mark.parametrize(
    ("given", "auth_type", "source"),
    [
        ({}, "default", "it has no key"),
        ({"login": "x"}, "access_key", "it has a key and no token"),
        ({"login": "x", "extra": {"security_token": SECRET}}, "sts", "it has a token"),
        ({"extra": {"auth_type": "AK"}}, "AK", "Extra"),
        ({"extra": {"auth_type": "unknown"}}, "unknown", "Extra"),
    ],
)
def test_says_why_an_auth_type_was_chosen(given: dict[str, Any], auth_type: str, source: str) -> None:
    assert described(**given)["auth_type"] == Setting("auth_type", auth_type, source)


def test_names_the_environment_variable_of_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TKE_ROLE_ARN", "qcs::cam::uin/1:roleName/r")
    found = described(TENCENT, extra={"auth_type": "oidc_role_arn"})
    assert found["role_arn"] == Setting("role_arn", "qcs::cam::uin/1:roleName/r", "environment variable TKE_ROLE_ARN")
    assert described(TENCENT, extra={"auth_type": "oidc_role_arn", "role_arn": "own"})["role_arn"].source == "Extra"


def test_leaves_out_a_variable_that_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TKE_ROLE_ARN", "qcs::cam::uin/1:roleName/r")
    assert "role_arn" not in described(TENCENT, login="id", password=SECRET)


@pytest.mark.parametrize(
    ("name", "written", "shown"),
    [
        ("proxy", f"http://me:{SECRET}@proxy.test:3128", "http://***@proxy.test:3128"),
        ("proxy", f"me:{SECRET}/x@proxy.test", "***@proxy.test"),
        ("endpoints", json.dumps({"ice": f"https://me:{SECRET}@ice.test"}), '{"ice": "https://***@ice.test"}'),
        ("endpoints", {"ice": f"me:{SECRET}@ice.test"}, '{"ice": "***@ice.test"}'),
        *(
            ("proxy", f"http://me:{SECRET}{odd}more@proxy.test", "http://***@proxy.test")
            for odd in (" ", '"', "'", "@", "\n")
        ),
        ("endpoints", {"ice": f'me:{SECRET}" x@ice.test', "*": "h"}, '{"ice": "***@ice.test", "*": "h"}'),
        ("endpoints", f'{{"ice": "me:{SECRET} x@ice.test"', '***@ice.test"'),
        ("external_id", SECRET, "***"),
        ("security_token", SECRET, "***"),
    ],
)
def test_shows_no_secret_even_of_a_connection_that_cannot_be_used(name: str, written: Any, shown: str) -> None:
    assert described(extra={name: written})[name].value == shown


def test_shows_the_endpoint_of_all_services_as_host() -> None:
    assert described(host="ice.test", port=8443)["host"] == Setting("host", "ice.test:8443", "Host")
    assert described(host=f"https://me:{SECRET}@h")["host"].value == "https://***@h"


def test_shows_the_region_even_if_there_is_none() -> None:
    assert described()["region"] == Setting("region", None, "not set")


def test_describes_a_connection_without_usable_extra() -> None:
    assert described(login="my-id", extra=None)["access_key_id"].source == "Login"
