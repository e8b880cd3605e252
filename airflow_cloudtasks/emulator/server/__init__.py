"""The emulator as an HTTP server: the application, its sockets and threads, and its command line."""

from __future__ import annotations

from airflow_cloudtasks.emulator.server.emulator import Emulator

__all__ = ["Emulator"]
