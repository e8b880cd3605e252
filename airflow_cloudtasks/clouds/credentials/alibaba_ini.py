"""Read the ini file of Alibaba Cloud's SDKs.

Source: alibabacloud-credentials, ProfileCredentialsProvider, for ``credentials.ini``; other SDKs of the vendor read
``credentials`` without an ending.
"""

from __future__ import annotations

import os

from airflow_cloudtasks.clouds.credentials.chain import Nothing
from airflow_cloudtasks.clouds.credentials.files import home, read_ini
from airflow_cloudtasks.clouds.credentials.keys import Profile
from airflow_cloudtasks.clouds.credentials.machine import MachineRole
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, Fetched
from airflow_cloudtasks.clouds.credentials.token_service import Role, assume_role, assume_role_by_token

_FILE_VARIABLE = "ALIBABA_CLOUD_CREDENTIALS_FILE"
_SUPPORTED = "access_key, sts, ram_role_arn, oidc_role_arn, ecs_ram_role"


def ini_profile(settings: CredentialSettings) -> Fetched | Nothing:
    """Return the credentials of the profile that ``ALIBABA_CLOUD_PROFILE`` names, or of ``default``.

    Args:
        settings: How to reach STS and the metadata service.

    Raises:
        Unusable: The file or the profile cannot be used.
        CloudApiError: A service refuses or does not answer.
    """
    named = os.environ.get(_FILE_VARIABLE)
    paths = (
        [named]
        if named
        else [os.path.join(home(), ".alibabacloud", name) for name in ("credentials.ini", "credentials")]
    )
    section = os.environ.get("ALIBABA_CLOUD_PROFILE") or "default"
    for path in paths:
        if (fields := read_ini(path, section)) is not None:
            # The SDKs allow comments at the end of a line.
            plain = {name: value.split("#")[0].strip() for name, value in fields.items()}
            return _credentials(settings, Profile(path, f"section [{section}]", plain))
    return Nothing(f"no profile file {paths[0]}" + (f" (named by {_FILE_VARIABLE})" if named else ""))


def _credentials(settings: CredentialSettings, profile: Profile) -> Fetched:
    role = Role(
        arn=profile.text("role_arn") or os.environ.get("ALIBABA_CLOUD_ROLE_ARN", ""),
        session_name=profile.text("role_session_name") or os.environ.get("ALIBABA_CLOUD_ROLE_SESSION_NAME"),
        policy=profile.text("policy"),
    )
    match kind := profile.text("type"):
        case "access_key":
            return Fetched(profile.key("access_key_id", "access_key_secret"))
        case "sts":
            return Fetched(profile.key("access_key_id", "access_key_secret", "security_token"))
        case "ram_role_arn":
            return assume_role(settings, _with_arn(role, profile), profile.key("access_key_id", "access_key_secret"))
        case "oidc_role_arn":
            provider, token_file = profile.needed("oidc_provider_arn"), profile.needed("oidc_token_file_path")
            return assume_role_by_token(settings, _with_arn(role, profile), provider, token_file, profile.origin)
        case "ecs_ram_role":
            return MachineRole(settings, profile.text("role_name")).fetch()
        case None:
            raise profile.unusable(f"has no type; expected one of {_SUPPORTED}")
        case _:
            raise profile.unusable(f"is of the type {kind!r}, which is not supported; expected one of {_SUPPORTED}")


def _with_arn(role: Role, profile: Profile) -> Role:
    if not role.arn:
        raise profile.unusable("has no role_arn")
    return role
