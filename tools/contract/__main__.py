"""Print what was compared of the catalog with the vendors' definitions, the exceptions, and what deviates."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from airflow_cloudtasks.catalog import APIS
from contract.comparing import compare
from contract.exceptions import EXCEPTIONS
from contract.findings import KINDS, counts


def main() -> int:
    """Print the report; return 1 if anything deviates."""
    findings = [compare(api) for api in APIS.values()]
    compared = counts(findings)
    print(", ".join(f"{compared[kind]} {kind}" for kind in ("APIs", *KINDS)))
    print(f"{len(EXCEPTIONS)} exceptions:")
    for subject, reason in EXCEPTIONS.items():
        print(f"  {subject}: {reason}")
    deviations = [line for each in findings for line in each.unexcused(EXCEPTIONS)]
    for line in deviations:
        print(line, file=sys.stderr)
    return 1 if deviations else 0


if __name__ == "__main__":
    sys.exit(main())
