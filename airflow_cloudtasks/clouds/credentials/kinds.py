"""Every kind of credentials that is fetched, by the ``auth_type`` of the Airflow connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from airflow_cloudtasks.clouds.credentials.alibaba_chain import alibaba_chain
from airflow_cloudtasks.clouds.credentials.files import Unusable
from airflow_cloudtasks.clouds.credentials.machine import MachineRole
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, Fetch, Fetched
from airflow_cloudtasks.clouds.credentials.tencent_chain import tencent_chain
from airflow_cloudtasks.clouds.credentials.token_service import Role, assume_role, assume_role_by_token
from airflow_cloudtasks.clouds.wire import Credentials
from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.model import Cloud


def _assumed_role(settings: CredentialSettings) -> Fetch:
    key = Credentials(settings.key_id or "", settings.secret or "")
    return lambda: assume_role(settings, Role.of(settings), key)


def _role_by_token(settings: CredentialSettings) -> Fetch:
    provider, token_file = settings.oidc_provider or "", settings.oidc_token_file or ""

    def fetch() -> Fetched:
        try:
            return assume_role_by_token(settings, Role.of(settings), provider, token_file, "oidc_token_file")
        except Unusable as problem:
            raise InvalidConnection(f"The Airflow connection cannot be used: {problem}.") from None

    return fetch


def _role_of_machine(settings: CredentialSettings) -> Fetch:
    return MachineRole(settings, settings.role_name).fetch


KINDS: Mapping[Cloud, Mapping[str, Callable[[CredentialSettings], Fetch]]] = {
    "alibaba": {
        "ram_role_arn": _assumed_role,
        "ecs_ram_role": _role_of_machine,
        "oidc_role_arn": _role_by_token,
        "default": alibaba_chain,
    },
    "tencent": {
        "role_arn": _assumed_role,
        "cvm_role": _role_of_machine,
        "oidc_role_arn": _role_by_token,
        "default": tencent_chain,
    },
}
"""For each cloud and ``auth_type``, the function that returns how to fetch its credentials."""
