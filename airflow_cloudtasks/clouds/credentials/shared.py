"""Credentials by the vendors' own classes, one object for all who use the same settings."""

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
    """Find, or make, the credentials of some settings.

    A thousand waits on one connection are one session at STS: all of this process's users of the same settings get the
    same object, for as long as there is one of them.

    Args:
        cloud: The cloud.
        auth_type: The kind of credentials, a name of the cloud's ``CREDENTIAL_CLASSES``.
        settings: What the connection says.
    """
    with _lock:
        key = (cloud, auth_type, settings)
        if (credentials := _shared.get(key)) is None:
            # Here and not above: loading a vendor's credential package takes a while, and most connections hold a key.
            module = import_module(f"airflow_cloudtasks.clouds.credentials.{cloud}")
            credentials = VendorCredentials(module.CREDENTIAL_CLASSES[auth_type], settings, module.explain)
            _shared[key] = credentials
        return credentials
