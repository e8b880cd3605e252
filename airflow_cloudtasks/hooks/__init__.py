"""Hooks: they take an Airflow connection and return cloud tasks."""
