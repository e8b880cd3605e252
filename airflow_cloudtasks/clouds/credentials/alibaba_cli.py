"""Read a profile of Alibaba Cloud's command line: ``~/.aliyun/config.json``.

Source: alibabacloud-credentials, CLIProfileCredentialsProvider, and the modes that aliyun writes beyond those
(github.com/aliyun/aliyun-cli, config/profile.go). Sign-ins in a browser are the command line's own; their sessions are
used until they expire.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from airflow_cloudtasks.clouds.credentials.chain import Nothing
from airflow_cloudtasks.clouds.credentials.fetching import no_credentials
from airflow_cloudtasks.clouds.credentials.files import home, read_json
from airflow_cloudtasks.clouds.credentials.key_servers import key_of_cloud_sso, key_of_oauth, key_of_uri
from airflow_cloudtasks.clouds.credentials.keys import Profile
from airflow_cloudtasks.clouds.credentials.machine import MachineRole
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, Fetched
from airflow_cloudtasks.clouds.credentials.token_service import Role, assume_role, assume_role_by_token
from airflow_cloudtasks.clouds.wire import Credentials, is_visible
from airflow_cloudtasks.errors import TransientError
from airflow_cloudtasks.values import load_json, moment

# As the vendor's class.
_PROCESS_SECONDS = 60
_MOST_SOURCES = 10


class _Config:
    """The profiles of the command line.

    Args:
        settings: How to reach STS and the metadata service.
        path: The file's path.
        content: The file's content.
    """

    def __init__(self, settings: CredentialSettings, path: str, content: Mapping[str, Any]) -> None:
        self._settings = settings
        self._path = path
        self._content = content

    def current(self) -> Profile:
        """Return the profile that is to be used."""
        name = os.environ.get("ALIBABA_CLOUD_PROFILE") or self._content.get("current")
        if not isinstance(name, str) or not name:
            raise Profile(self._path, "the field 'current'", {}).unusable("names no profile")
        return self.named(name)

    def named(self, name: str) -> Profile:
        """Return a profile by its name."""
        profiles = self._content.get("profiles")
        found = [each for each in profiles if isinstance(each, dict)] if isinstance(profiles, list) else []
        for fields in found:
            if fields.get("name") == name:
                return Profile(self._path, f"profile {name!r}", fields)
        others = ", ".join(repr(fields.get("name")) for fields in found)
        missing = f"is missing; there are {others}" if others else "is missing, and so is any other"
        raise Profile(self._path, f"profile {name!r}", {}).unusable(missing)

    def credentials(self, profile: Profile, depth: int = 0) -> Fetched:
        """Return the credentials of a profile."""
        mode = profile.needed("mode")
        if (read := _MODES.get(mode)) is None:
            raise profile.unusable(
                f"has the mode {mode!r}, which is not supported; expected one of {', '.join(_MODES)}"
            )
        if depth == _MOST_SOURCES:
            raise profile.unusable("is reached by a chain of source_profile that does not end")
        return read(self, self._settings, profile, depth)


def cli_profile(settings: CredentialSettings) -> Fetched | Nothing:
    """Return the credentials of the profile that ``ALIBABA_CLOUD_PROFILE`` names, or of the current one.

    Args:
        settings: How to reach STS and the metadata service.

    Raises:
        Unusable: The file or the profile cannot be used.
        CloudApiError: A service or a process refuses, or does not answer.
    """
    path = os.path.join(home(), ".aliyun", "config.json")
    content = read_json(path)
    if content is None:
        return Nothing(f"no profile file {path}")
    config = _Config(settings, path, content)
    return config.credentials(config.current())


def _role(profile: Profile, session_name: str = "ram_session_name") -> Role:
    return Role(
        arn=profile.needed("ram_role_arn"),
        session_name=profile.text(session_name) or os.environ.get("ALIBABA_CLOUD_ROLE_SESSION_NAME"),
        seconds=profile.seconds("expired_seconds"),
        policy=profile.text("policy"),
        external_id=profile.text("external_id"),
    )


def _ak(config: _Config, settings: CredentialSettings, profile: Profile, depth: int) -> Fetched:
    return Fetched(profile.key("access_key_id", "access_key_secret"))


def _sts_token(config: _Config, settings: CredentialSettings, profile: Profile, depth: int) -> Fetched:
    return Fetched(profile.key("access_key_id", "access_key_secret", "sts_token"))


def _ram_role_arn(config: _Config, settings: CredentialSettings, profile: Profile, depth: int) -> Fetched:
    return assume_role(settings, _role(profile), profile.key("access_key_id", "access_key_secret"))


def _ecs_ram_role(config: _Config, settings: CredentialSettings, profile: Profile, depth: int) -> Fetched:
    return MachineRole(settings, profile.text("ram_role_name")).fetch()


def _role_arn_with_role_name(config: _Config, settings: CredentialSettings, profile: Profile, depth: int) -> Fetched:
    role = _role(profile)
    machine = MachineRole(settings, profile.text("ram_role_name")).fetch()
    return assume_role(settings, role, machine.credentials)


def _chainable(config: _Config, settings: CredentialSettings, profile: Profile, depth: int) -> Fetched:
    role = _role(profile)
    source = config.credentials(config.named(profile.needed("source_profile")), depth + 1)
    return assume_role(settings, role, source.credentials)


def _oidc(config: _Config, settings: CredentialSettings, profile: Profile, depth: int) -> Fetched:
    provider, token_file = profile.needed("oidc_provider_arn"), profile.needed("oidc_token_file")
    return assume_role_by_token(settings, _role(profile, "role_session_name"), provider, token_file, profile.origin)


def _credentials_uri(config: _Config, settings: CredentialSettings, profile: Profile, depth: int) -> Fetched:
    return key_of_uri(settings, profile.needed("credentials_uri"), profile.origin)


def _cloud_sso(config: _Config, settings: CredentialSettings, profile: Profile, depth: int) -> Fetched:
    fields = ("cloud_sso_sign_in_url", "cloud_sso_account_id", "cloud_sso_access_config", "access_token")
    url, account, access, token = (profile.needed(field) for field in fields)
    if (profile.seconds("cloud_sso_access_token_expire") or 0) <= time.time():
        raise _signed_out(profile, "CloudSSO")
    return key_of_cloud_sso(settings, url, account, access, token, profile.origin)


def _oauth(config: _Config, settings: CredentialSettings, profile: Profile, depth: int) -> Fetched:
    expires_at = profile.seconds("sts_expiration") or 0
    if expires_at > time.time():
        return Fetched(profile.key("access_key_id", "access_key_secret", "sts_token"), expires_at)
    if (profile.seconds("oauth_access_token_expire") or 0) <= time.time():
        raise _signed_out(profile, "OAuth")
    site = (profile.text("oauth_site_type") or "CN").upper()
    return key_of_oauth(settings, site, profile.needed("oauth_access_token"), profile.origin)


def _signed_out(profile: Profile, mode: str) -> Exception:
    return profile.unusable(
        f"holds a sign-in of {mode} that has expired: run any command of 'aliyun' with this profile, "
        f"or sign in once more with 'aliyun configure --mode {mode}'"
    )


def _external(config: _Config, settings: CredentialSettings, profile: Profile, depth: int) -> Fetched:
    """Run the profile's process, as the vendor's class does: without a shell, for a minute at most."""
    try:
        command = shlex.split(profile.needed("process_command"))
    except ValueError:
        raise profile.unusable("has a process_command with a quote that does not end") from None
    try:
        ended = subprocess.run(  # noqa: S603 - the user's own command, without a shell
            command, capture_output=True, timeout=_PROCESS_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise TransientError(
            f"the process_command of {profile.origin} took longer than {_PROCESS_SECONDS} s",
            code="Timeout",
            action="Fetching credentials",
            unsent=True,
            retried=True,
        ) from None
    except (OSError, ValueError) as error:  # ValueError for a NUL character
        raise profile.unusable(f"has a process_command that cannot be run ({type(error).__name__})") from None
    # Neither output is shown: it may hold the key.
    if ended.returncode != 0:
        raise no_credentials(f"the process_command of {profile.origin} ended with exit code {ended.returncode}")
    return _printed_key(load_json(ended.stdout), profile)


def _printed_key(printed: Any, profile: Profile) -> Fetched:
    names = ("access_key_id", "access_key_secret", "sts_token")
    fields = printed if isinstance(printed, dict) else {}
    parts = [str(fields.get(name) or "") for name in names]
    needed = parts if fields.get("mode") == "StsToken" else parts[:2]
    if not all(needed) or not all(is_visible(part) for part in parts if part):
        raise no_credentials(f"the process_command of {profile.origin} printed no JSON with {', '.join(names)}")
    expires = moment(fields.get("expiration"), UTC)
    key = Credentials(parts[0], parts[1], parts[2] or None, f"the process_command of {profile.origin}")
    return Fetched(key, expires.timestamp() if expires else None)


_MODES: Mapping[str, Callable[[_Config, CredentialSettings, Profile, int], Fetched]] = {
    "AK": _ak,
    "StsToken": _sts_token,
    "RamRoleArn": _ram_role_arn,
    "EcsRamRole": _ecs_ram_role,
    "RamRoleArnWithRoleName": _role_arn_with_role_name,
    "ChainableRamRoleArn": _chainable,
    "OIDC": _oidc,
    "CredentialsURI": _credentials_uri,
    "CloudSSO": _cloud_sso,
    "OAuth": _oauth,
    "External": _external,
}
