"""Start, watch and stop asynchronous tasks of Alibaba Cloud and Tencent Cloud from Apache Airflow."""

__version__ = "0.2.0"
