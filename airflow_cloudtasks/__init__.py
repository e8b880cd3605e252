"""Start, watch and stop asynchronous tasks of Alibaba Cloud and Tencent Cloud from Apache Airflow."""

__version__ = "0.1.0"
