"""What to say when the packages of the ``[emulator]`` extra are not installed."""

from __future__ import annotations

MISSING = "The emulator needs its extra: pip install 'airflow-provider-cloudtasks[emulator]'"
_PACKAGES = ("starlette", "uvicorn")


def is_missing(error: ModuleNotFoundError) -> bool:
    """Tell whether an import failed for want of the extra, and not for a mistake of ours.

    Args:
        error: The failed import.

    Returns:
        Whether a package of the extra is missing.
    """
    return (error.name or "").partition(".")[0] in _PACKAGES
