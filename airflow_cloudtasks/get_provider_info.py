"""Returns the metadata of this package for Airflow, as provider.yaml declares it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

# Keys that only the build of Airflow's own providers reads. The runtime's schema forbids them.
_BUILD_ONLY = ("state", "source-date-epoch")


@cache
def provider_yaml() -> dict[str, Any]:
    """Return the content of provider.yaml."""
    content: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("provider.yaml").read_text(encoding="utf-8"))
    return content


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata; Airflow calls this through the entry point ``apache_airflow_provider``."""
    return {key: value for key, value in provider_yaml().items() if key not in _BUILD_ONLY}


def connection_type(name: str) -> dict[str, Any]:
    """Return what provider.yaml declares for a connection type.

    Args:
        name: Connection type, e.g. ``cloudtasks_alibaba``.
    """
    declared: list[dict[str, Any]] = provider_yaml()["connection-types"]
    return next(entry for entry in declared if entry["connection-type"] == name)
