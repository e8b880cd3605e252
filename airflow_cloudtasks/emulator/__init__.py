"""Both clouds on localhost: the task APIs of Alibaba Cloud and Tencent Cloud, with every signature checked.

It serves demos, tests and authors of DAGs: ``python -m airflow_cloudtasks.emulator`` from a shell, the
``cloudtasks_emulator`` fixture in pytest, :class:`Emulator` in Python. It imports neither Airflow, nor a vendor's SDK,
nor the rest of the package, so that it checks the package independently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.server.emulator import Emulator

__all__ = ["Emulator"]


def __getattr__(name: str) -> Any:
    # Imported lazily: pytest imports this package in every environment that has the provider, and uvicorn is an extra
    # that may be missing there.
    if name == "Emulator":
        from airflow_cloudtasks.emulator.server.emulator import Emulator

        return Emulator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
