"""Extra links on the pages of Airflow tasks."""
