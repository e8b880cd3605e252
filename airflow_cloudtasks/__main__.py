"""``python -m airflow_cloudtasks``: the package's command line."""

import sys

from airflow_cloudtasks.doctor.command import main

if __name__ == "__main__":
    sys.exit(main())
