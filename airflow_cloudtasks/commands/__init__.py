"""The commands of ``python -m airflow_cloudtasks`` and ``airflow cloudtasks``: catalog, check and record."""
