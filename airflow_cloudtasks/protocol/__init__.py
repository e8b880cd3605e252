"""Translate between the package and the vendors' APIs: requests out, answers in. Pure: no Airflow, no I/O."""
