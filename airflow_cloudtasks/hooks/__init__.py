"""Airflow connection in, CloudTask out."""
