"""A watcher whose triggerer is killed once, between the moment when an event is stored and the moment when it knows."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from airflow_cloudtasks.assets import CloudTaskEndedTrigger
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION

DAG_ID = "ended"
CONNECTION = "ended_clouds"
PROJECT = "2417334454903762944"
API = "wedata.workflow_run"
# The event after which the triggerer is killed.
KILLED_AFTER = 4


def killed_note(home: Path) -> Path:
    """Return the file that is written before the kill."""
    return home / "triggerer.killed"


def kill_this_triggerer_once() -> None:
    """Kill the triggerer with all its processes, this one last."""
    note = killed_note(Path(os.environ["AIRFLOW_HOME"]))
    if note.exists():
        return
    note.write_text("killed")
    triggerer = psutil.Process(os.getppid())
    others = [each for each in triggerer.children(recursive=True) if each.pid != os.getpid()]
    for each in (triggerer, *others, psutil.Process()):
        each.send_signal(signal.SIGKILL)


class KilledOnce(CloudTaskEndedTrigger):
    """A watcher that kills its triggerer."""

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> Any:
        """Kill when Airflow says that the event is stored, before the watcher reads it."""
        producer = super().create_shared_stream_producer(kwargs)
        advance, stored = producer.advance, 0

        async def kill(batch: Sequence[Any]) -> None:
            nonlocal stored
            stored += len(batch)
            if stored >= KILLED_AFTER:
                kill_this_triggerer_once()
            await advance(batch)

        producer.advance = kill  # type: ignore[method-assign]
        return producer

    def _follower(self, *arguments: Any) -> Any:
        """Kill before the watcher notes that the event is stored, on Airflow before 3.3, which does not say so."""
        follower = super()._follower(*arguments)
        keep = follower._memory.keep

        async def kill(ends: Mapping[str, Any]) -> Any:
            if AIRFLOW_VERSION < (3, 3) and ends["sent"] is None and len(ends["done"]) >= KILLED_AFTER:
                kill_this_triggerer_once()
            return await keep(ends)

        follower._memory.keep = kill  # type: ignore[method-assign]
        return follower


def watched() -> Any:
    """Return what the DAG is scheduled on."""
    from airflow.sdk import Asset, AssetWatcher

    trigger = KilledOnce(API, conn_id=CONNECTION, api_params={"ProjectId": PROJECT}, dag_id=DAG_ID)
    return [Asset("ended_runs", watchers=[AssetWatcher(name="ends", trigger=trigger)])]
