"""``python -m airflow_cloudtasks``: the package's command line."""

import sys

from airflow_cloudtasks.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
