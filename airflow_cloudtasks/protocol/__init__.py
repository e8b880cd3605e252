"""Build the requests to the vendors' APIs and read their answers. Pure: no Airflow, no I/O."""
