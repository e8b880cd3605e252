"""The ways to ask Airflow. Only :mod:`airflow_cloudtasks.airflow_facts` takes them."""
