"""Finds what a module exports."""

from __future__ import annotations

from types import FunctionType, ModuleType


def exported(module: ModuleType) -> set[str]:
    """Return the names of ``__all__``; without one, the public classes and functions that the module defines."""
    names = getattr(module, "__all__", None)
    if names is not None:
        return set(names)
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and isinstance(value, type | FunctionType) and value.__module__ == module.__name__
    }
