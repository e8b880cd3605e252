"""A field of Extra that nothing reads is named, with the field that was probably meant. The connection stays usable."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_cloudtasks.hooks.connection import ALIBABA_FIELDS as ALIBABA
from airflow_cloudtasks.hooks.connection import TENCENT_FIELDS as TENCENT
from airflow_cloudtasks.hooks.connection import ConnectionFields, ConnectionValues, read_connection, unread_fields


def unread(extra: dict[str, Any], cloud_fields: ConnectionFields = ALIBABA, **fields: Any) -> str | None:
    standard: dict[str, Any] = {"login": "id", "password": "secret", "host": None, "port": None}
    values = ConnectionValues(conn_id="c", conn_type=cloud_fields.own_type, extra=extra, **standard | fields)
    read_connection(cloud_fields, values, "tests")
    return unread_fields(cloud_fields, values)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(("retion", "region"), ("region_id", "region"), ("regionId", "region"), ("region_name", "region")),
        *(("Region", "region"), ("REGION", "region"), ("region-", "region"), (" region", "region")),
        *(("AccessKeyId", "access_key_id"), ("accessKeySecret", "access_key_secret"), ("ROLE-ARN", "role_arn")),
        *(("acces_key_id", "access_key_id"), ("securityToken", "security_token"), ("roleArn", "role_arn")),
        *(("endpoint", "endpoints"), ("ca_bundel", "ca_bundle"), ("max_trys", "max_tries"), ("Proxy", "proxy")),
        *(("timeout_read", "read_timeout"), ("authType", "auth_type"), ("duration", "duration_seconds")),
        *(("extra__cloudtasks_alibaba__region", "region"), ("extra__alibaba_cloud__Access_Key_Id", "access_key_id")),
        ("extra__cloudtasks_alibaba__retion", "region"),
    ],
)
def test_names_the_field_that_was_meant(written: str, meant: str) -> None:
    named = unread({written: "x"})
    assert named is not None
    assert f"(did you mean {meant!r}?)" in named
    assert "x'" not in named.replace(repr(written), "")


@pytest.mark.parametrize(
    ("cloud_fields", "written", "meant"),
    [(TENCENT, "SecretId", "secret_id"), (TENCENT, "secretKey", "secret_key"), (TENCENT, "Token", "token")],
)
def test_knows_the_names_of_tencent(cloud_fields: ConnectionFields, written: str, meant: str) -> None:
    assert unread({written: "x"}, cloud_fields) == (
        f"Its Extra has fields that are not used: {written!r} (did you mean {meant!r}?)."
    )


@pytest.mark.parametrize(
    ("written", "field"), [("login", "Login"), ("Password", "Password"), ("host", "Host"), ("PORT", "Port")]
)
def test_a_field_of_the_connection_itself_is_no_field_of_extra(written: str, field: str) -> None:
    named = unread({written: "hidden"})
    assert named is not None
    assert f"{written!r} (did you mean the field {field} of the connection?)" in named
    assert "hidden" not in named


def test_a_field_that_is_too_deep_is_named() -> None:
    named = unread({"extra": {"region": "cn-shanghai"}, "aws": {"x": 1}})
    assert named == (
        "Its Extra has fields that are not used: 'extra' (write 'region' and its other fields directly into Extra), "
        "'aws'."
    )


def test_names_fields_that_resemble_nothing_and_fields_that_are_read_in_silence() -> None:
    assert unread({"xyz": 1, "sight": 2, "region": "cn-shanghai"}) == (
        "Its Extra has fields that are not used: 'xyz', 'sight'."
    )
    assert unread({"region": "cn-shanghai", "access_key_id": "x"}) is None


@pytest.mark.parametrize("name", ["SeCrEt@/?region", "a b", "SeCrEt/x", "x" * 101, ""])
def test_a_name_that_may_be_the_end_of_a_secret_is_not_repeated(name: str) -> None:
    # AIRFLOW_CONN_X='cloudtasks-alibaba://id:12?SeCrEt@/?region=x' has such a field.
    named = unread({name: "x"})
    assert named is not None
    assert "one whose name has other characters than a field's" in named
    assert "SeCrEt" not in named


def test_many_fields_are_counted() -> None:
    named = unread({f"q{number}z": 1 for number in range(25)})
    assert named is not None
    assert named.endswith(" and 5 more.")


@pytest.mark.parametrize(
    ("cloud_fields", "extra", "named"),
    [
        (
            ALIBABA,
            {"role_arn": "r"},
            "'role_arn' (auth_type is access_key; ram_role_arn and oidc_role_arn would use it)",
        ),
        (TENCENT, {"role_arn": "r"}, "'role_arn' (auth_type is access_key; role_arn and oidc_role_arn would use it)"),
        (
            ALIBABA,
            {"auth_type": "ram_role_arn", "role_arn": "r", "security_token": "hidden"},
            "'security_token' (auth_type is ram_role_arn; sts would use it)",
        ),
        (TENCENT, {"auth_type": "cvm_role", "provider_id": "p"}, "'provider_id' (auth_type is cvm_role; oidc_role_arn"),
    ],
)
def test_names_a_field_that_only_another_auth_type_reads(
    cloud_fields: ConnectionFields, extra: dict[str, Any], named: str
) -> None:
    found = unread(extra, cloud_fields)
    assert found is not None
    assert named in found
    assert "hidden" not in found


def test_a_variable_that_is_not_read_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # ACK sets it in every pod.
    monkeypatch.setenv("ALIBABA_CLOUD_ROLE_ARN", "r")
    assert unread({}) is None
