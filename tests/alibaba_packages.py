"""Alibaba Cloud's SDK packages, one for each service and version."""

from __future__ import annotations

import importlib
from typing import Any


def imported(service: str, version: str, module: str) -> Any:
    """The module ``client`` or ``models`` of the package of a service."""
    package = f"alibabacloud_{service.replace('-', '_')}{version.replace('-', '')}"
    return importlib.import_module(f"{package}.{module}")
