"""The sources of credentials: the Airflow connection, STS, a metadata service, a vendor's default chain."""
