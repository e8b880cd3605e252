"""The provider's metadata for Airflow, read from provider.yaml."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

# Only the build of Airflow's own providers reads these keys. The schema that Airflow validates against lacks them.
_BUILD_ONLY = ("state", "source-date-epoch")


@cache
def provider_yaml() -> dict[str, Any]:
    """Return the content of provider.yaml."""
    content: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("provider.yaml").read_text(encoding="utf-8"))
    return content


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata; Airflow calls this by the entry point ``apache_airflow_provider``."""
    return {key: value for key, value in provider_yaml().items() if key not in _BUILD_ONLY}


def connection_type(name: str) -> dict[str, Any]:
    """Return what provider.yaml declares for a connection type.

    Args:
        name: The connection type, e.g. ``cloudtasks_alibaba``.

    Raises:
        StopIteration: provider.yaml declares no such type.
    """
    declared: list[dict[str, Any]] = provider_yaml()["connection-types"]
    return next(entry for entry in declared if entry["connection-type"] == name)
