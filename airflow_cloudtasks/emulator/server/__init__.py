"""The emulator as an HTTP server."""

from __future__ import annotations

from airflow_cloudtasks.emulator.server.emulator import Emulator

__all__ = ["Emulator"]
