"""Tencent Cloud's default chain.

Source: tencentcloud-sdk-python-common, DefaultCredentialProvider, whose order is kept: environment, profile file, the
role of the CVM instance, TKE. The profile of the vendor's command line (tccli), which that class does not read, follows
last. TENCENTCLOUD_TOKEN and TCCLI_PROFILE are read as tccli reads them.
"""

from __future__ import annotations

import os
import time
from functools import partial

from airflow_cloudtasks.clouds.credentials.chain import Nothing, Source, first_of, machine_role
from airflow_cloudtasks.clouds.credentials.files import Unusable, home, read_ini, read_json
from airflow_cloudtasks.clouds.credentials.keys import Profile, key_of_environment
from airflow_cloudtasks.clouds.credentials.machine import MachineRole
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, Fetch, Fetched
from airflow_cloudtasks.clouds.credentials.token_service import Role, assume_role, assume_role_by_token

_SYSTEM_FILE = "/etc/tencentcloud/credentials"
_TKE = ("TKE_ROLE_ARN", "TKE_PROVIDER_ID", "TKE_WEB_IDENTITY_TOKEN_FILE")


def tencent_chain(settings: CredentialSettings) -> Fetch:
    """Return the function that fetches the credentials of the default chain.

    Args:
        settings: How to reach STS and the metadata service.
    """
    machine = MachineRole(settings, settings.role_name, may_be_absent=True)
    sources: tuple[Source, ...] = (
        partial(key_of_environment, "TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"),
        _profile_file,
        partial(machine_role, machine),
        partial(_pod, settings),
        partial(_tccli_profile, settings, MachineRole(settings, None)),
    )
    return partial(first_of, sources)


def _profile_file() -> Fetched | Nothing:
    own = os.path.join(home(), ".tencentcloud", "credentials")
    path = own if os.path.exists(own) else _SYSTEM_FILE
    section = read_ini(path, "default")
    if section is None:
        return Nothing(f"no profile file {own}")
    return Fetched(Profile(path, "section [default]", section).key("secret_id", "secret_key"))


def _pod(settings: CredentialSettings) -> Fetched | Nothing:
    arn, provider, token_file = (os.environ.get(name, "") for name in _TKE)
    if not (arn and provider and token_file):
        return Nothing(f"no TKE identity ({', '.join(_TKE)})")
    role = Role(arn=arn, session_name=settings.role_session_name)
    return assume_role_by_token(settings, role, provider, token_file, _TKE[-1])


def _tccli_profile(settings: CredentialSettings, machine: MachineRole) -> Fetched | Nothing:
    name = os.environ.get("TCCLI_PROFILE") or "default"
    path = os.path.join(home(), ".tccli", f"{name}.credential")
    fields = read_json(path)
    if fields is None:
        return Nothing(f"no tccli profile {path}")
    profile = Profile(path, f"profile {name!r}", fields)
    if (kind := profile.text("type")) == "cvm-role":
        return machine.fetch()
    key = profile.key("secretId", "secretKey", "token" if profile.text("token") else None)
    expires_at = profile.seconds("expiresAt")
    if kind in ("oauth", "sso") and expires_at is not None and expires_at <= time.time():
        # tccli would renew it. Its renewal replaces the file's refresh token, which is for one user at a time.
        login = "tccli auth login" if kind == "oauth" else "tccli sso login"
        raise Unusable(path, f"holds a session of {kind} that has expired: run {login!r} once more")
    arn = profile.text("role-arn")
    if arn is None or profile.text("role-session-name") is None:
        return Fetched(key, expires_at)
    return assume_role(settings, Role(arn=arn, session_name=profile.text("role-session-name")), key)
