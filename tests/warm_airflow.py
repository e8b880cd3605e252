"""`airflow`, with what it imports after a fork imported before it.

Airflow forks a process for each task and for each DAG file. Each would import this package and its libraries for
itself, which is three quarters of a task's processor time. What the parent has imported, all of them share.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import walk_packages

# The commands whose processes fork such processes.
FORKING = {"scheduler", "dag-processor"}
# What the processes of Airflow's tasks import of it: those of Airflow 3, then those of Airflow 2.
AIRFLOW = (
    *("airflow.dag_processing.bundles.local", "airflow.sdk.execution_time.task_runner"),
    *("airflow.cli.commands.task_command", "airflow.task.task_runner.standard_task_runner"),
    *("airflow.ti_deps.deps.ready_to_reschedule", "airflow.decorators", "airflow.operators.python"),
)
# The packages of what DAGs use.
OURS = ("operators", "sensors", "starting", "waiting", "clouds", "catalog")


def import_what_forks_share() -> None:
    """Import what is installed of it; Airflow 2 and 3 have other modules."""
    import airflow_cloudtasks

    for name in AIRFLOW:
        try:
            import_module(name)
        except ImportError:
            continue
    roots = [f"{airflow_cloudtasks.__name__}.{name}" for name in OURS]
    for root in roots:
        for module in walk_packages(import_module(root).__path__, f"{root}."):
            import_module(module.name)


if __name__ == "__main__":
    if FORKING.intersection(sys.argv[1:2]):
        import_what_forks_share()
    from airflow.__main__ import main

    main()
