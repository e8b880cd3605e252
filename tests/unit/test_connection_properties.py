"""Whatever a connection holds, it is read, or refused in one line that names it and shows no secret."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.hooks.connection import ALIBABA_FIELDS, TENCENT_FIELDS, read_connection, unread_fields
from airflow_cloudtasks.hooks.described import describe
from airflow_cloudtasks.hooks.fields import ConnectionFields, ConnectionValues, known_extras

SECRET = "hidden-secret"
BOTH = pytest.mark.parametrize("cloud_fields", [ALIBABA_FIELDS, TENCENT_FIELDS], ids=["alibaba", "tencent"])

ODD: list[Any] = [
    *(
        "9" * 5000,
        "9" * 5000 + ".0",
        10**400,
        "1e400",
        "٣",
        "²",
        "-0",
        "1_0",
        "2.0",
        float("nan"),
        True,
        "true",
        "\x00",
    ),
    *("AK", "sts", "default", "oidc_role_arn", "{}", "[", "{" * 9999, "https://h", "http://h:99999", "vpc", "public"),
    *([], {}, [[]], {"*": 10**400}, {"*": "9" * 5000}, {"x": None}, {"": ""}),
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["9" * 5000, "1e400", "٣", "2.0", "AK", "sts", "default", "{}", "[", "https://h", "vpc", "public"]
    )
)
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=5), scalars, max_size=3)


def extras(cloud_fields: ConnectionFields) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(known_extras(cloud_fields)) | st.text(max_size=30)
    return st.dictionaries(names, values, max_size=8)


@BOTH
@settings(max_examples=300)
@given(data=st.data())
def test_any_extra_is_read_or_refused_in_one_line(cloud_fields: ConnectionFields, data: st.DataObject) -> None:
    connection = ConnectionValues(
        conn_id="c",
        conn_type=data.draw(st.sampled_from((*cloud_fields.conn_types, *cloud_fields.official_types, "", "http"))),
        login=data.draw(st.none() | st.text(max_size=5)),
        password=data.draw(st.sampled_from([None, "", SECRET, f"{SECRET}\n", f"{SECRET} ü"])),
        host=data.draw(st.none() | st.text(max_size=10) | st.sampled_from([f"https://u:{SECRET}@h", "h"])),
        port=data.draw(st.none() | st.integers(-1, 70_000)),
        extra=data.draw(st.none() | extras(cloud_fields)),
    )
    refusal = "The Airflow connection 'c' cannot be used: "
    try:
        read_connection(cloud_fields, connection, "tests")
        texts = [refusal]
    except InvalidConnection as error:
        texts = [str(error)]
    assert texts[0].startswith(refusal)
    texts += [unread_fields(cloud_fields, connection) or "", repr(describe(cloud_fields, connection))]
    for text in texts:
        assert "\n" not in text
        assert SECRET not in text


@BOTH
def test_each_field_is_read_or_refused_with_every_odd_value(cloud_fields: ConnectionFields) -> None:
    for name in known_extras(cloud_fields):
        for value in ODD:
            connection = ConnectionValues(
                conn_id="c",
                conn_type=cloud_fields.own_type,
                login="id",
                password=SECRET,
                host=None,
                port=None,
                extra={"auth_type": "default", name: value},
            )
            try:
                read_connection(cloud_fields, connection, "tests")
                shown = ""
            except InvalidConnection as error:
                shown = str(error)
            # A path is shown whole.
            assert len(shown) < 500 or name == "ca_bundle", name
            describe(cloud_fields, connection)


@BOTH
@settings(max_examples=200)
@given(data=st.data())
def test_no_secret_field_is_ever_shown(cloud_fields: ConnectionFields, data: st.DataObject) -> None:
    extra = data.draw(extras(cloud_fields))
    secret = st.sampled_from([SECRET, [SECRET], {"x": SECRET}, f"{SECRET}\n", f"me:{SECRET}@proxy.test"])
    for name in (cloud_fields.secret_extra, cloud_fields.token_extra, "external_id"):
        extra[name] = data.draw(secret)
    extra["proxy"] = data.draw(st.sampled_from([f"http://me:{SECRET}@h:1", f"me:{SECRET}@h", f"ftp://me:{SECRET}@h"]))
    connection = ConnectionValues(
        conn_id="c", conn_type=cloud_fields.own_type, login="id", password=SECRET, host=None, port=None, extra=extra
    )
    try:
        shown = repr(read_connection(cloud_fields, connection, "tests"))
    except InvalidConnection as error:
        shown = str(error)
    assert SECRET not in shown
    assert SECRET not in (unread_fields(cloud_fields, connection) or "")
    assert SECRET not in repr(describe(cloud_fields, connection))
