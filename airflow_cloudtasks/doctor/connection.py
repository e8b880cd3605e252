"""The part of the report about the Airflow connection: what was found, and how it is understood. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from airflow_cloudtasks.airflow_facts import Fact, FoundConnection, Is, IsNot
from airflow_cloudtasks.clouds.client import Account
from airflow_cloudtasks.doctor.causes import cause_of
from airflow_cloudtasks.doctor.report import Line, Outcome
from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.hooks.calling import USER_AGENT
from airflow_cloudtasks.hooks.connection import ALIBABA_FIELDS, TENCENT_FIELDS, read_connection
from airflow_cloudtasks.hooks.described import Setting, describe
from airflow_cloudtasks.hooks.fields import ConnectionFields, ConnectionValues
from airflow_cloudtasks.hooks.unread import unread_fields
from airflow_cloudtasks.model import Cloud

# A person waits for the report.
_IMPATIENT = {"max_tries": 2, "max_retry_seconds": 5}

FIELDS: dict[Cloud, ConnectionFields] = {"alibaba": ALIBABA_FIELDS, "tencent": TENCENT_FIELDS}


@dataclass(frozen=True, slots=True)
class Understood:
    """A connection as it is understood.

    Args:
        cloud: The cloud; None if the connection's type names none.
        account: The account that it describes, with fewer retries; None if it cannot be used.
        lines: The lines of the report.
        role_arn: The role to assume; None for none.
    """

    cloud: Cloud | None
    account: Account | None
    lines: tuple[Line, ...]
    role_arn: str | None = None


def understand(conn_id: str, found: Fact[FoundConnection], cloud: Cloud | None) -> Understood:
    """Return what the look-up of a connection means.

    Args:
        conn_id: The connection's id.
        found: The result of the look-up.
        cloud: The cloud that the user asks about; None for the one of the connection's type.
    """
    match found:
        case Is(value):
            values = ConnectionValues.of(conn_id, value.connection, value.extra)
            return _read(values, cloud or _cloud_of(values.conn_type))
        case IsNot(why):
            return Understood(cloud, None, (_missing(conn_id, cloud, why),))
        case unknown:
            return Understood(cloud, None, (_not_looked_up(unknown.why),))


def _cloud_of(conn_type: str) -> Cloud | None:
    return next(
        (cloud for cloud, fields in FIELDS.items() if conn_type in (*fields.conn_types, *fields.official_types)), None
    )


def _read(values: ConnectionValues, cloud: Cloud | None) -> Understood:
    if cloud is None:
        return Understood(None, None, (_other_type(values.conn_type),))
    fields = FIELDS[cloud]
    settings = describe(fields, values)
    lines = [Line(name="type", outcome=Outcome.INFO, text=values.conn_type or "none"), *map(_setting, settings)]
    try:
        read_connection(fields, values, USER_AGENT)
    except InvalidConnection as error:
        return Understood(cloud, None, (*lines, _unusable(error)))
    impatient = read_connection(fields, replace(values, extra={**(values.extra or {}), **_IMPATIENT}), USER_AGENT)
    role_arn = next((setting.value for setting in settings if setting.name == "role_arn"), None)
    return Understood(cloud, impatient, (*lines, *_unread(fields, values)), role_arn)


def _unusable(error: InvalidConnection) -> Line:
    cause = cause_of(error)
    return Line(name="connection", outcome=Outcome.FAILED, text=cause.found, expected=cause.expected, mend=cause.mend)


def _setting(setting: Setting) -> Line:
    shown = "none" if setting.value is None else setting.value
    return Line(name=setting.name, outcome=Outcome.INFO, text=f"{shown} ({setting.source})")


def _unread(fields: ConnectionFields, values: ConnectionValues) -> Iterator[Line]:
    sentence = unread_fields(fields, values)
    if sentence is None:
        yield Line(name="connection", outcome=Outcome.OK, text="it can be used")
        return
    yield Line(
        name="connection",
        outcome=Outcome.FAILED,
        text=sentence.removesuffix("."),
        expected="fields that this connection type has",
        mend="correct or remove them",
    )


def _missing(conn_id: str, cloud: Cloud | None, why: str) -> Line:
    if why:
        return _unusable(InvalidConnection(why))
    conn_type = FIELDS[cloud or "tencent"].conn_types[0]
    return Line(
        name="connection",
        outcome=Outcome.FAILED,
        text=f"there is no Airflow connection {conn_id!r}",
        expected="a connection in a secrets backend, the environment or Airflow's database",
        mend=f"run `airflow connections add {conn_id} --conn-type {conn_type} --conn-login KEY_ID "
        f'--conn-password SECRET --conn-extra \'{{"region": "REGION"}}\'`, or set AIRFLOW_CONN_{conn_id.upper()}',
    )


def _not_looked_up(why: str) -> Line:
    return Line(
        name="connection",
        outcome=Outcome.FAILED,
        text=f"it is unknown whether there is such a connection: a look-up failed ({why})",
        expected="Airflow's metadata database, or the secrets backend, within reach",
        mend="run `airflow db check`; check [database] sql_alchemy_conn and [secrets] in Airflow's configuration, "
        "and that this user may read them",
    )


def _other_type(conn_type: str) -> Line:
    known = " or ".join(fields.conn_types[0] for fields in FIELDS.values())
    return Line(
        name="connection",
        outcome=Outcome.FAILED,
        text=f"its type is {conn_type!r}",
        expected=known,
        mend="set the connection's type; in a URI, write it with a hyphen, as in cloudtasks-alibaba://LOGIN:PASSWORD@",
    )
