"""Both clouds on localhost: task APIs of Alibaba Cloud and Tencent Cloud, with every signature checked.

It is for demos, for tests and for authors of DAGs: ``python -m airflow_cloudtasks.emulator`` from a shell, the
``cloudtasks_emulator`` fixture in pytest, :class:`Emulator` in Python. Nothing here imports Airflow, a vendor's SDK or
the rest of the package, so a client that gets its answers here has been read by someone else's eyes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.server.emulator import Emulator

__all__ = ["Emulator"]


def __getattr__(name: str) -> Any:
    # Lazy, because pytest imports this package on every run of whoever has the provider installed, and uvicorn is an
    # extra that they may not have.
    if name == "Emulator":
        from airflow_cloudtasks.emulator.server.emulator import Emulator

        return Emulator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
