"""The error text for a missing ``[emulator]`` extra."""

from __future__ import annotations

MISSING = "The emulator needs its extra: pip install 'airflow-provider-cloudtasks[emulator]'"
_PACKAGES = ("starlette", "uvicorn")


def is_missing(error: ModuleNotFoundError) -> bool:
    """Return whether an import failed because a package of the extra is not installed."""
    return (error.name or "").partition(".")[0] in _PACKAGES
