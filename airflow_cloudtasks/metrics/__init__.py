"""The metrics that the package sends through Airflow: ``known`` lists them, ``send`` sends them."""
