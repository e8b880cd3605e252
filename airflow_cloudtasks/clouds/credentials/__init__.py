"""Where credentials come from: the Airflow connection, STS, a metadata service or a vendor's default chain."""
