"""Tells Airflow what this package provides. The facts stand in provider.yaml."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

# What only the build of Airflow's own providers reads, and the runtime's schema does not know.
_BUILD_ONLY = ("state", "source-date-epoch")


@cache
def provider_yaml() -> dict[str, Any]:
    """Read provider.yaml."""
    content: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("provider.yaml").read_text(encoding="utf-8"))
    return content


def get_provider_info() -> dict[str, Any]:
    """Give Airflow the provider's metadata; the entry point ``apache_airflow_provider`` leads here."""
    return {key: value for key, value in provider_yaml().items() if key not in _BUILD_ONLY}


def connection_type(name: str) -> dict[str, Any]:
    """Give what provider.yaml declares of a connection type.

    Args:
        name: E.g. ``cloudtasks_alibaba``.
    """
    declared: list[dict[str, Any]] = provider_yaml()["connection-types"]
    return next(entry for entry in declared if entry["connection-type"] == name)
