"""Alibaba Cloud's default chain.

Source: alibabacloud-credentials, DefaultCredentialsProvider, whose order is kept: environment, RRSA, the profile of the
command line (aliyun), the SDKs' ini file, the role of the ECS instance, a credentials URI.
"""

from __future__ import annotations

import os
from functools import partial

from airflow_cloudtasks.clouds.credentials.alibaba_cli import cli_profile
from airflow_cloudtasks.clouds.credentials.alibaba_ini import ini_profile
from airflow_cloudtasks.clouds.credentials.chain import Nothing, Source, first_of, machine_role
from airflow_cloudtasks.clouds.credentials.key_servers import key_of_uri
from airflow_cloudtasks.clouds.credentials.keys import key_of_environment
from airflow_cloudtasks.clouds.credentials.machine import MachineRole
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, Fetch, Fetched
from airflow_cloudtasks.clouds.credentials.token_service import Role, assume_role_by_token

_RRSA = ("ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_OIDC_TOKEN_FILE")
_KEY = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN")
_URI = "ALIBABA_CLOUD_CREDENTIALS_URI"
_NO_CLI = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED"
_NO_METADATA = "ALIBABA_CLOUD_ECS_METADATA_DISABLED"


def alibaba_chain(settings: CredentialSettings) -> Fetch:
    """Return the function that fetches the credentials of the default chain.

    Args:
        settings: How to reach STS and the metadata service.
    """
    role_name = settings.role_name or os.environ.get("ALIBABA_CLOUD_ECS_METADATA") or None
    machine = MachineRole(settings, role_name, may_be_absent=True)
    sources: tuple[Source, ...] = (
        partial(key_of_environment, *_KEY),
        partial(_pod, settings),
        partial(_cli, settings),
        partial(ini_profile, settings),
        partial(_machine, machine),
        partial(_uri, settings),
    )
    return partial(first_of, sources)


def _pod(settings: CredentialSettings) -> Fetched | Nothing:
    arn, provider, token_file = (os.environ.get(name, "") for name in _RRSA)
    if not (arn and provider and token_file):
        return Nothing(f"no RRSA identity ({', '.join(_RRSA)})")
    session = settings.role_session_name or os.environ.get("ALIBABA_CLOUD_ROLE_SESSION_NAME")
    return assume_role_by_token(settings, Role(arn=arn, session_name=session), provider, token_file, _RRSA[-1])


def _cli(settings: CredentialSettings) -> Fetched | Nothing:
    if _is_set(_NO_CLI):
        return Nothing(f"{_NO_CLI} is set")
    return cli_profile(settings)


def _machine(role: MachineRole) -> Fetched | Nothing:
    return Nothing(f"{_NO_METADATA} is set") if _is_set(_NO_METADATA) else machine_role(role)


def _uri(settings: CredentialSettings) -> Fetched | Nothing:
    uri = os.environ.get(_URI, "")
    return key_of_uri(settings, uri, _URI) if uri else Nothing(f"no {_URI}")


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").lower() == "true"
