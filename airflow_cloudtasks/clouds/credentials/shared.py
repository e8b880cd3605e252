"""Share fetched credentials: one object for all users of the same settings."""

from __future__ import annotations

from importlib import import_module
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, VendorCredentials
from airflow_cloudtasks.model import Cloud

_shared: WeakValueDictionary[tuple[Any, ...], VendorCredentials] = WeakValueDictionary()
_lock = Lock()


def shared_credentials(cloud: Cloud, auth_type: str, settings: CredentialSettings) -> VendorCredentials:
    """Return the credentials for these settings: one object for all users in this process.

    So a thousand waits on one connection need one session at STS. The object is freed with its last user.

    Args:
        cloud: The cloud.
        auth_type: The kind of credentials: a key of the cloud's ``CREDENTIAL_CLASSES``.
        settings: What the connection says about its credentials.
    """
    with _lock:
        key = (cloud, auth_type, settings)
        if (credentials := _shared.get(key)) is None:
            # Imported here: loading a vendor's credential package is slow, and most connections hold a key instead.
            module = import_module(f"airflow_cloudtasks.clouds.credentials.{cloud}")
            credentials = VendorCredentials(module.CREDENTIAL_CLASSES[auth_type], settings, module.translate_error)
            _shared[key] = credentials
        return credentials
