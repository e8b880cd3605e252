"""The fields of an Airflow connection, and their names at each cloud. Data.

This module imports nothing of Airflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_cloudtasks.get_provider_info import connection_type
from airflow_cloudtasks.model import Cloud


@dataclass(frozen=True, kw_only=True)
class ConnectionValues:
    """The parts of an Airflow connection that this package reads.

    Args:
        conn_id: Id of the connection.
        conn_type: Type of the connection.
        login: The field Login.
        password: The field Password.
        host: The field Host.
        port: The field Port.
        extra: The field Extra, decoded; None if it is not a JSON object.
    """

    conn_id: str
    conn_type: str
    login: str | None
    password: str | None
    host: str | None
    port: int | None
    extra: Mapping[str, Any] | None

    @classmethod
    def of(cls, conn_id: str, connection: Any, extra: Mapping[str, Any] | None) -> ConnectionValues:
        """Return the values of one of Airflow's own connection objects.

        Args:
            conn_id: Id of the connection.
            connection: Airflow's object.
            extra: Its Extra, decoded; None if it is not a JSON object.
        """
        return cls(
            conn_id=conn_id,
            conn_type=connection.conn_type or "",
            login=connection.login,
            password=connection.password,
            host=connection.host,
            port=connection.port,
            extra=extra,
        )


@dataclass(frozen=True, kw_only=True)
class ConnectionFields:
    """The fields of one cloud's connections, by the names that the vendor gives them.

    Args:
        cloud: The cloud.
        conn_types: Connection types that can be read, the package's own type first.
        official_types: Further types of the vendor's official Airflow provider. Their Host is no address of an API.
        official_extras: Fields of Extra that only the official provider uses.
        key_id_label: The vendor's name for the id of a key pair.
        secret_label: The vendor's name for the secret of a key pair.
        token_extra: Field of Extra with a temporary token.
        key_id_extra: Field of Extra with the key's id, read if Login is empty.
        secret_extra: Field of Extra with the key's secret, read if Password is empty.
        auth_types: Each value of ``auth_type`` with the fields of Extra that it requires; ``key`` stands for the pair.
        auth_type_aliases: Other spellings of ``auth_type``, in lower case.
        variables: Fields of Extra that the vendor's own tools also read from the environment, with their variables.
    """

    cloud: Cloud
    conn_types: tuple[str, ...]
    key_id_label: str
    secret_label: str
    token_extra: str
    key_id_extra: str
    secret_extra: str
    auth_types: Mapping[str, tuple[str, ...]]
    variables: Mapping[str, str]
    official_types: tuple[str, ...] = ()
    official_extras: frozenset[str] = frozenset()
    auth_type_aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def own_type(self) -> str:
        """The package's own connection type."""
        return self.conn_types[0]


ALIBABA_FIELDS = ConnectionFields(
    cloud="alibaba",
    # Source of all facts about the official provider: the package apache-airflow-providers-alibaba, its hooks and its
    # page "Alibaba Cloud Connection", releases 1.0.0 to 3.5.2. All of its types keep the AccessKey pair in Extra.
    # auth_type AK is the only one that it has. endpoint is the address of OSS or MaxCompute.
    conn_types=("cloudtasks_alibaba", "alibaba_cloud"),
    official_types=("oss", "adb_spark", "maxcompute"),
    official_extras=frozenset({"endpoint", "project"}),
    auth_type_aliases={"ak": "access_key"},
    key_id_label="AccessKey ID",
    secret_label="AccessKey secret",  # noqa: S106 - a label, not a secret
    token_extra="security_token",  # noqa: S106 - a field's name
    key_id_extra="access_key_id",
    secret_extra="access_key_secret",  # noqa: S106 - a field's name
    auth_types={
        "access_key": ("key",),
        "sts": ("key", "security_token"),
        "ram_role_arn": ("key", "role_arn"),
        "ecs_ram_role": (),
        "oidc_role_arn": ("role_arn", "oidc_provider_arn", "oidc_token_file"),
        "default": (),
    },
    # Source: Alibaba Cloud, RRSA. ACK sets these variables in its pods.
    variables={
        "role_arn": "ALIBABA_CLOUD_ROLE_ARN",
        "oidc_provider_arn": "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        "oidc_token_file": "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    },
)
TENCENT_FIELDS = ConnectionFields(
    cloud="tencent",
    conn_types=("cloudtasks_tencent",),
    key_id_label="SecretId",
    secret_label="SecretKey",  # noqa: S106 - a label, not a secret
    token_extra="token",  # noqa: S106 - a field's name
    key_id_extra="secret_id",
    secret_extra="secret_key",  # noqa: S106 - a field's name
    auth_types={
        "access_key": ("key",),
        "sts": ("key", "token"),
        "role_arn": ("key", "role_arn"),
        "cvm_role": (),
        "oidc_role_arn": ("role_arn", "provider_id", "oidc_token_file"),
        "default": (),
    },
    # Source: Tencent Cloud, TKE. It sets these variables in its pods.
    variables={
        "role_arn": "TKE_ROLE_ARN",
        "provider_id": "TKE_PROVIDER_ID",
        "oidc_token_file": "TKE_WEB_IDENTITY_TOKEN_FILE",
    },
)


def known_extras(fields: ConnectionFields) -> tuple[str, ...]:
    """Return the names of all fields of Extra that this package reads.

    Args:
        fields: The fields of the cloud's connections.
    """
    return (fields.key_id_extra, fields.secret_extra, *connection_type(fields.own_type)["conn-fields"])
