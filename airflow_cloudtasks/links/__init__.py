"""Extra links of tasks."""
